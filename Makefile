# Everything a newcomer types. `make run` and `make test` build env/venv by themselves.
VENV := env/venv
BIN := $(VENV)/bin
PYTHON ?= python3

.PHONY: run test check bench fuzz soak docs pictures clean

run: $(VENV)/.run
	@$(BIN)/python devToolKit.py --simulate

test: $(VENV)/.dev
	$(BIN)/python -m pytest tests -n 4 --dist loadfile --reruns 1 --rerun-show-tracebacks -r fER

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_floors.py

bench: $(VENV)/.run
	$(BIN)/python tests/bench/bench.py

fuzz: $(VENV)/.dev
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-5000} $(BIN)/python -m pytest tests/fuzz

soak: $(VENV)/.dev
	NETWORK_LOSSES=30 POWER_CUT=long $(BIN)/python -m pytest tests/device/test_network.py tests/device/test_power_cut.py
	BUS_SOAK_S=600 $(BIN)/python -m pytest tests/device/test_bus_soak.py
	GUEST_SOAK_S=300 $(BIN)/python -m pytest tests/device/test_qframe_parts.py -k four_threads
	FUZZ_EXAMPLES=30000 $(BIN)/python -m pytest tests/fuzz/test_vsoa_served.py
	SCHEMATHESIS_EXAMPLES=100 $(BIN)/python -m pytest tests/gateway/test_openapi.py
	FLEET_KILLS=20 FLEET_NODES=1000 $(BIN)/python -m pytest tests/gateway/test_fleet_kill.py tests/gateway/test_jobs.py tests/gateway/test_fleet.py
	FIRST_START=real $(BIN)/python -m pytest tests/gateway/test_first_start.py
	CLOUD_SOAK="20 600 20" $(BIN)/python -m pytest tests/cloud/test_soak.py tests/cloud/test_host_soak.py
	MQTT_FLAP_S=600 $(BIN)/python -m pytest tests/cloud/test_to_mqtt_brokers.py -k flapping
	MICROS_CLOUD_KILLS=25 $(BIN)/python -m pytest tests/gateway/cloud/test_kill.py
	MICROS_FUZZ_CLOUD=100000 $(BIN)/python -m pytest tests/gateway/cloud/test_fuzz.py -o timeout=2800
	DEPLOY_CUTS=20 $(BIN)/python -m pytest tests/toolkit/test_make.py
	CABLE_PULLS=20 $(BIN)/python -m pytest tests/toolkit/test_serial_link.py -k wherever

pictures: $(VENV)/.dev
	$(BIN)/python tests/gateway/pictures.py

docs: $(VENV)/.run
	$(BIN)/python micrOS/make_docs.py

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[sim]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.run

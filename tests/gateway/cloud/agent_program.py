"""Run by the public agent's own interpreter: lines of JSON [name, words...] in, one line of JSON out for each."""
import json
import os
import sys

import device_cloud as iot
from device_cloud import osal, ota_handler, relay

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)                              # what the agent prints is no answer
runs = []
rebooted = []
osal.system_reboot = lambda *_, **__: rebooted.append(1)


def ok(client, params):
    runs.append(["ok", params])
    return 0, "fine", {"echo": params or {}}


def fail():
    runs.append(["fail", None])
    return 4, "it failed"


def broken():
    raise ValueError("no luck")


def later(client, params, user_data, request):
    runs.append(["later", request.request_id])
    return iot.STATUS_INVOKED, "Invoked"


def remote(client, params):
    relay.create_relay(params["url"], params["host"], int(params["protocol"]))
    return 0


class Program:
    def begin(self, folder, app):
        self.client = iot.Client(app)
        self.client.config.config_dir = folder
        self.client.initialize()
        for name, work in (("ok", ok), ("fail", fail), ("broken", broken), ("later", later), ("remote-access", remote)):
            self.client.action_register_callback(name, work)
        self.client.action_register_command("command", folder + "/command.sh")
        handler = ota_handler.OTAHandler()
        self.client.action_register_callback("software_update", handler.update_callback, [folder])
        return self.client.connect(timeout=15)

    def call(self, name, *words):
        return getattr(self.client, name)(*words)

    def telemetry(self, name, value):
        return self.client.telemetry_publish(name, value, True)

    def transfer(self, name, *words):
        return getattr(self.client, "file_" + name)(*words, blocking=True, timeout=30)

    def shared(self, name, path):
        return self.client.file_upload(path, name, blocking=True, timeout=30, file_global=True)

    def runs(self):
        return runs

    def rebooted(self):
        return rebooted

    def end(self):
        relay.stop_relays()
        return self.client.disconnect()


program = Program()
for line in sys.stdin:
    name, *words = json.loads(line)
    try:
        result = getattr(program, name)(*words)
    except Exception as error:
        result = repr(error)
    out.write(json.dumps(result) + "\n")
    out.flush()
os._exit(0)

"""Reads the config.json of a folder."""
import json

from Files import read


class JsonParser:
    def parse(self, folder):
        """{"status": 1, "data": dict}; status 0 when there is none or it is no JSON object."""
        try:
            data = json.loads(read(folder + "/config.json") or "")
        except ValueError:
            data = None
        return {"status": 1, "data": data} if isinstance(data, dict) else {"status": 0, "data": None}

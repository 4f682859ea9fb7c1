"""What a web server answers."""
import urequests


def get(url):
    return urequests.get(url=url)


def get_json(url):
    status, body = urequests.get(url=url, jsonify=True)
    return status, body["name"]


def post(url):
    return urequests.post(url=url, json={"a": 1})

"""A client of Debian's python3-paho-mqtt, driven by the test: prints one JSON object per line of what happened.

Arguments: options as JSON: host, port, ca, transport, version, clientId, username, password, subscribe, publish.
With `subscribe` it ends after the first message; without, once the publish is complete.
"""
import json
import sys

import paho.mqtt.client as mqtt

options = json.loads(sys.argv[1])


def tell(happened, **more):
    print(json.dumps({"happened": happened, **more}), flush=True)


def on_connect(client, _userdata, _flags, code, _properties=None):
    code = getattr(code, "value", code)
    tell("connack", code=code)
    if code != 0:
        client.disconnect()
    elif "subscribe" in options:
        client.subscribe(options["subscribe"], qos=1)
    else:
        client.publish(options["publish"]["topic"], options["publish"]["payload"], qos=options["publish"]["qos"])


def on_subscribe(_client, _userdata, _mid, codes, _properties=None):
    tell("suback", codes=[getattr(code, "value", code) for code in codes])


def on_publish(client, *_rest):
    tell("published")
    client.disconnect()


def on_message(client, _userdata, message):
    tell("message", topic=message.topic, payload=message.payload.decode(), qos=message.qos)
    client.disconnect()


arguments = {"client_id": options["clientId"], "protocol": options["version"], "transport": options["transport"]}
if hasattr(mqtt, "CallbackAPIVersion"):
    arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION1
client = mqtt.Client(**arguments)
client.username_pw_set(options["username"], options["password"])
client.tls_set(options["ca"])
if options["transport"] == "websockets":
    client.ws_set_options(path="/mqtt")
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_publish = on_publish
client.on_message = on_message
client.connect(options["host"], options["port"])
client.loop_forever(retry_first_connection=False)

"""What is measured from a text. Knows texts and numbers; nothing of stores, files or screens."""

import os

# As soon as it is imported onnxruntime would name the machine in a file of its user's and gather events to be sent to
# its makers; nothing of this program does.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

"""Reads the event files of a run with TensorBoard's own reader: python read_events.py FOLDER -> JSON on the standard output."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
events.Reload()
tags = events.Tags()
print(
    json.dumps(
        {
            "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
            "images": {
                tag: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in events.Images(tag)]
                for tag in tags["images"]
            },
        }
    )
)

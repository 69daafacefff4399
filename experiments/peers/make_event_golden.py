"""Golden event file of harness/core: written by TensorBoard's own writer from events.jsonl."""
import json
import sys

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
folder = sys.argv[1]
with open(f"{folder}/events.golden", "wb") as file:
    writer = RecordWriter(file)
    writer.write(event_pb2.Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString(deterministic=True))
    for line in open(f"{folder}/events.jsonl"):
        values = json.loads(line)
        step = values.pop("step")
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=k, simple_value=v) for k, v in sorted(values.items())
                                             if v is not None])
        writer.write(event_pb2.Event(wall_time=float(step), step=step, summary=summary).SerializeToString(deterministic=True))

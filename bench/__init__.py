"""Measurements of the archive on this machine, beside what else could do its work.

`make bench` measures sides (`sides/`) under loads (`loads.py`, `open_loop.py`, `validation.py`), in turns. A new side
is a `Side` in a module of its own. A new load is a `Load`, or a `Contest` that measures in its own way. `aims.py` names
the ratios that are reported. `peer/` is the service that several sides run.

Other programs measure the archive elsewhere: on Cosmos DB (`on_cosmos.py`, with the instant gateway of `gateway/`),
inside Microsoft's worker (`worker/`), at its start (`start/`), while its store grows (`growth/`), and its memory
(`memory.py`). `runs.py` has what they share.
"""

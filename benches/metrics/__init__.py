"""Measures a client while it works: latencies, throughput, CPU, memory, GC pauses, look-ups.

    python -m benches.metrics run --out A.json      # a workload on the live peer, in rounds
    python -m benches.metrics report A.json         # Markdown; --html FILE for plots
    python -m benches.metrics compare A.json B.json # status 1 on a regression beyond the noise
    python -m benches.metrics profile cpu|memory    # the same workload under a profiler

`model.py` says what a file holds, `collect.py` measures, `workload.py` is what is measured; the
commands of `benches/load` write files of the same kind.
"""

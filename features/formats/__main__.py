"""The process that writes one file: a job comes in, what was done goes out, and GDAL never holds up the server.

Run as `python -m features.formats`: it imports, waits for a job on its standard input, and ends with it.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from typing import BinaryIO

import pyarrow as pa

from core.errors import ChengtuError
from features.asking import TableChanged
from features.formats import ogr
from features.formats.job import Done, Failed, Job
from features.formats.rows import reading

_NICE = 5  # requests that are answered at once go first


def main() -> None:
    """Wait for the job, do it, and say how it went."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server, which hears it too, decides
    os.nice(_NICE)
    pa.set_cpu_count(1)
    warnings.simplefilter("ignore")  # of what a format cannot hold: docs/downloads.md tells it
    given = sys.stdin.buffer
    job = _next(given)
    if job is not None:
        threading.Thread(target=_end_with_server, args=(given,), daemon=True).start()
        pickle.dump(_do(job), sys.stdout.buffer)
        sys.stdout.flush()


def _next(given: BinaryIO) -> Job | None:
    """The job; None where the server goes away without one."""
    try:
        job: Job = pickle.load(given)  # noqa: S301 — our own server wrote it
    except EOFError:
        return None
    return job


def _end_with_server(given: BinaryIO) -> None:
    """Nobody waits for a file once the other end of the pipe is closed."""
    given.read()
    os._exit(1)


def _do(job: Job) -> Done | Failed:
    try:
        with reading(job) as rows:
            if job.layer.driver is None:
                from features.formats import parquet  # noqa: PLC0415 — a tenth of a second that others need not wait

                parquet.write(job.layer, rows, job.path)
            else:
                ogr.write(job.layer, rows, job.path)
            return rows.done()
    except ChengtuError as error:
        return Failed(type(error), error.facts, "")
    except TableChanged as error:
        return Failed(None, {}, str(error))


if __name__ == "__main__":
    status = 1
    try:
        main()
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)  # at once: a thread still reads

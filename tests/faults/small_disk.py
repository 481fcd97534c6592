"""A directory on a device that is soon full, and space that comes back.

Three ways, the first that this machine allows:
  mount    a tmpfs of its own: needs root with the right to mount;
  shm      /dev/shm, nearly filled by a file of ours: containers have a small one of their own;
  limit    a limit on the size of files (RLIMIT_FSIZE) of the running process: works anywhere, but
           writes fail with EFBIG instead of ENOSPC, at once and all, its log's included.
"""

from __future__ import annotations

import os
import pathlib
import resource
import shutil
import subprocess
import tempfile

SHM = pathlib.Path("/dev/shm")
SHM_BYTES_MAX = 256 * 2**20  # a larger one would take the machine's memory
LARGE_BYTES = 128 * 2**20
LIMIT_BYTES = 100  # no file can be begun, as on a full disk


class SmallDisk:
    """`directory` has about `bytes_max` bytes of room until grow(). close() removes it."""

    def __init__(self, where: pathlib.Path, bytes_max: int, way: str = "") -> None:
        self._bytes_max = bytes_max
        self._ballast: pathlib.Path | None = None
        self.directory = where
        where.mkdir(parents=True)
        if way == "limit":
            self.way = way
        elif self._mount(f"size={bytes_max}"):
            self.way = "mount"
        elif SHM.is_dir() and bytes_max < shutil.disk_usage(SHM).free <= SHM_BYTES_MAX:
            self.way = "shm"
            self._fill_shm()
        else:
            self.way = "limit"

    def started(self, process: int) -> None:
        """To be told of the process that uses it, once it runs."""
        if self.way == "limit":
            resource.prlimit(process, resource.RLIMIT_FSIZE, (LIMIT_BYTES, -1))

    def grow(self, process: int) -> None:
        if self.way == "mount":
            assert self._mount(f"remount,size={LARGE_BYTES}")
        elif self.way == "shm":
            assert self._ballast is not None
            self._ballast.unlink()
        else:
            resource.prlimit(process, resource.RLIMIT_FSIZE, (-1, -1))

    def close(self) -> None:
        if self.way == "mount":
            subprocess.run(["umount", "--lazy", str(self.directory)], check=False)
        elif self.way == "shm":
            shutil.rmtree(self.directory, ignore_errors=True)
            if self._ballast is not None:
                self._ballast.unlink(missing_ok=True)

    def _mount(self, options: str) -> bool:
        if os.geteuid() != 0:
            return False
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.directory)],
                              stdin=subprocess.DEVNULL, capture_output=True)
        return done.returncode == 0

    def _fill_shm(self) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spangate-", dir=SHM))
        handle, name = tempfile.mkstemp(prefix="spangate-ballast-", dir=SHM)
        self._ballast = pathlib.Path(name)
        os.posix_fallocate(handle, 0, shutil.disk_usage(SHM).free - self._bytes_max)
        os.close(handle)

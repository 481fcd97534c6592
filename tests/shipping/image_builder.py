"""Builds the image without a container engine and without a registry: buildah over a debootstrap base.

Everything that lasts lies in ${SPANGATE_DEPS_DIR:-~/.cache/spangate}: the base, the Debian packages
fetched for it and the builder's ccache is the machine's own. Storage and containers are thrown away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
from typing import Any, Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITE = "bookworm"
BASE = "localhost/spangate-test-base"
IMAGE = "localhost/spangate-test"
TOOLS = ("buildah", "debootstrap", "apt-get", "unshare")
BASE_TIMEOUT_S = 15 * 60
BUILD_TIMEOUT_S = 25 * 60


def missing() -> str:
    """Why this machine cannot build the image; empty when it can."""
    absent = [tool for tool in TOOLS if shutil.which(tool, path=search_path()) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "debootstrap and chroot need root"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        return "root may not mount here (a container without CAP_SYS_ADMIN)"
    return "" if machine_archives() else "this machine's apt sources name no Debian archive"


def search_path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def run(*command: str, timeout_s: float = 60, **kwargs: Any) -> subprocess.CompletedProcess:
    """Runs to the end; a failure carries the end of what the command said."""
    result = subprocess.run(
        list(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=timeout_s, env=os.environ | {"PATH": search_path()}, **kwargs,
    )
    if result.returncode != 0:
        tail = (result.stdout + result.stderr)[-4000:]
        raise AssertionError(f"{' '.join(command)}: exit code {result.returncode}\n{tail}")
    return result


def machine_archives() -> list[tuple[str, str]]:
    """(URI, suite) of the Debian 12 archives that this machine itself installs from."""
    listing = run(
        "apt-get", "indextargets", "--format", "$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)",
        "Created-By: Packages",
    ).stdout
    rows = dict.fromkeys(tuple(line.split("\t")) for line in listing.splitlines())
    suites = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    return sorted(
        ((uri, suite) for uri, suite, component in rows if suite in suites and component == "main"),
        key=lambda archive: suites.index(archive[1]),
    )


def cache_directory() -> pathlib.Path:
    return pathlib.Path(os.environ.get("SPANGATE_DEPS_DIR") or pathlib.Path.home() / ".cache" / "spangate")


@contextlib.contextmanager
def locked(path: pathlib.Path) -> Iterator[None]:
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def base_tree() -> pathlib.Path:
    """A minimal Debian 12 root file system that installs from where this machine does; kept."""
    target = cache_directory() / f"image-base-{SUITE}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_suffix(".lock")):
        if not target.exists():
            unfinished = target.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            archives = machine_archives()
            run("debootstrap", "--variant=minbase", SUITE, str(unfinished), archives[0][0],
                timeout_s=BASE_TIMEOUT_S)
            shutil.rmtree(unfinished / "var/cache/apt/archives", ignore_errors=True)
            (unfinished / "var/cache/apt/archives/partial").mkdir(parents=True)
            unfinished.rename(target)
        adopt_apt_settings(target)
    return target


def adopt_apt_settings(tree: pathlib.Path) -> None:
    """The machine's archives, proxy and CAs: a build on it reaches what the machine reaches."""
    sources = "".join(f"deb {uri} {suite} main\n" for uri, suite in machine_archives())
    (tree / "etc/apt/sources.list").write_text(sources)
    settings = run("apt-config", "dump").stdout.splitlines()
    wanted = [line for line in settings if line.lower().startswith(("acquire::http", "acquire::https"))]
    (tree / "etc/apt/apt.conf.d/99machine").write_text("".join(line + "\n" for line in wanted))
    # Lists of debootstrap's know no security updates: without lists, installing fetches all.
    shutil.rmtree(tree / "var/lib/apt/lists", ignore_errors=True)
    (tree / "var/lib/apt/lists/partial").mkdir(parents=True)
    # What is built here is thrown away: no syncs while packages are unpacked.
    (tree / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    authorities = pathlib.Path("/usr/local/share/ca-certificates")
    if authorities.is_dir():
        shutil.copytree(authorities, tree / authorities.relative_to("/"), dirs_exist_ok=True)
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        (tree / "etc/ssl/certs").mkdir(parents=True, exist_ok=True)
        shutil.copy(bundle, tree / "etc/ssl/certs")


class Builder:
    """buildah with storage of its own below `directory`."""

    def __init__(self, directory: pathlib.Path) -> None:
        self._flags = [
            "--storage-driver", "vfs", "--root", str(directory / "storage"),
            "--runroot", str(directory / "run"),
        ]

    def buildah(self, *arguments: str, timeout_s: float = 5 * 60) -> str:
        command = ["buildah", *self._flags, *arguments]
        return run(*command, timeout_s=timeout_s, cwd=ROOT).stdout.strip()

    def import_base(self, tree: pathlib.Path) -> None:
        container = self.buildah("from", "scratch")
        mounted = self.buildah("mount", container)
        run("cp", "-a", f"{tree}/.", mounted, timeout_s=5 * 60)
        self.buildah("umount", container)
        self.buildah("commit", "--rm", container, BASE)

    def build(self) -> None:
        """Compiles where the checkout lies, so that what the machine's ccache knows is not compiled again."""
        debs = cache_directory() / "image-debs"
        (debs / "partial").mkdir(parents=True, exist_ok=True)
        flags = ["--volume", f"{debs}:/var/cache/apt/archives:rw"]
        if shutil.which("ccache"):
            cache = pathlib.Path(run("ccache", "--get-config", "cache_dir").stdout.strip())
            cache.mkdir(parents=True, exist_ok=True)
            flags += ["--volume", f"{cache}:/root/.cache/ccache:rw"]
        self.buildah(
            "bud", "--isolation", "chroot", "--layers=false", "--pull-never", *flags,
            "--build-arg", f"BASE={BASE}", "--build-arg", f"SOURCE_DIR={ROOT}",
            "--build-arg", f"JOBS={os.cpu_count() or 1}", "--tag", IMAGE, ".",
            timeout_s=BUILD_TIMEOUT_S,
        )

    def settings(self) -> dict[str, Any]:
        """The image's own: user, entry point, command, ports."""
        return json.loads(self.buildah("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]

    def unpack(self) -> pathlib.Path:
        """The image's root file system, for as long as the storage lives."""
        return pathlib.Path(self.buildah("mount", self.buildah("from", "--pull-never", IMAGE)))

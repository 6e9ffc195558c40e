"""A Hub for tests: repositories of datasets in memory, on 127.0.0.1, with the answers that its client needs.

    with Hub(token="hf_secret") as hub:
        gsm8k = hub.dataset("openai/gsm8k", {"train.jsonl": b"…"})
        first = gsm8k.commit({"train.jsonl": b"…"}, "more rows")
        gsm8k.tags["v1"] = first

The client reads HF_ENDPOINT when it is imported, so that it runs in a process of its own.
It asks for Xet where that is not switched off (HF_HUB_DISABLE_XET=1); there is none here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

JSON = {"Content-Type": "application/json"}
DATE = "2026-01-01T00:00:00.000Z"
LARGE = (".arrow", ".gz", ".parquet", ".pkl", ".zip", ".zst")


class Seen(NamedTuple):
    """A request that came: `token` says whether one was with it."""

    method: str
    path: str
    token: bool


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """An answer that is an error, with the code by which the client knows it."""

    def __init__(self, status: int, code: str = "", message: str = "refused", retry_after: str = "") -> None:
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after
        super().__init__(message)


@dataclass(frozen=True)
class Commit:
    """A state of all files, by their paths."""

    files: Mapping[str, bytes]
    title: str
    parent: str | None

    @property
    def sha(self) -> str:
        parts = [(path, hashlib.sha256(content).hexdigest()) for path, content in sorted(self.files.items())]
        return hashlib.sha1(json.dumps([parts, self.title, self.parent]).encode()).hexdigest()


@dataclass
class Repository:
    """A dataset: every commit by its sha, and what branches and tags mean."""

    id: str
    private: bool = False
    gated: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(
        self, files: Mapping[str, bytes], title: str = "commit", *, branch: str = "main", removed: Iterable[str] = ()
    ) -> str:
        """Put files on top of a branch; the new commit's sha."""
        parent = self.branches.get(branch)
        before = self.commits[parent].files if parent else {}
        kept = {path: content for path, content in before.items() if path not in set(removed)}
        made = Commit({**kept, **files}, title, parent)
        self.commits[made.sha] = made
        self.branches[branch] = made.sha
        return made.sha

    def at(self, revision: str) -> Commit:
        sha = self.branches.get(revision) or self.tags.get(revision) or revision
        if sha not in self.commits:
            raise Refusal(404, "RevisionNotFound")
        return self.commits[sha]


class Hub:
    """The server: a context manager; `endpoint` is what HF_ENDPOINT should be."""

    def __init__(self, *, token: str = "hf_token_of_tests", require_token: bool = False) -> None:
        self.token = token
        self.require_token = require_token
        self.repositories: dict[str, Repository] = {}
        self.seen: list[Seen] = []
        self.large: dict[str, bytes] = {}
        self.lock = threading.RLock()
        self.on_commit: Callable[[], object] = lambda: None
        self._failures: list[tuple[int, str, str]] = []
        self.loses_next_commit = False
        """Do what the next commit asks for, and answer 502."""
        self._broken: list[tuple[str, str, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def dataset(self, id: str, files: Mapping[str, bytes], *, private: bool = False, gated: bool = False) -> Repository:
        """Create a dataset with a first commit. Gated: all may look, nobody may have the files."""
        self.repositories[id] = Repository(id, private, gated)
        self.repositories[id].commit(files)
        return self.repositories[id]

    def fail(self, times: int, status: int, part: str = "", retry_after: str = "") -> None:
        """Answer the next `times` requests whose path has `part` with `status`."""
        self._failures += [(status, part, retry_after)] * times

    def failures_left(self) -> int:
        return len(self._failures)

    def break_after(self, method: str, part: str, times: int) -> None:
        """Hang up on requests of a method whose path has `part`, after so many were answered."""
        self._broken.append((method, part, times))

    def is_broken(self, method: str, path: str) -> bool:
        for place, (of, part, times) in enumerate(self._broken):
            if of == method and part in path:
                self._broken[place] = (of, part, times - 1)
                return times <= 0
        return False

    def mend(self) -> None:
        self._broken.clear()

    def failure(self, path: str) -> tuple[int, str, str] | None:
        with self.lock:
            found = next((failure for failure in self._failures if failure[1] in path), None)
            if found:
                self._failures.remove(found)
            return found

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *values: Any) -> None:
        pass

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        self.is_known = given == self.hub.token
        with self.hub.lock:
            self.hub.seen.append(Seen(self.command, unquote(path), bool(given)))
            if self.hub.is_broken(self.command, path):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            try:
                self._route(path)
            except Refusal as refusal:
                self._refuse(refusal)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 (http.server's names)

    def _route(self, path: str) -> None:
        if failure := self.hub.failure(path):
            raise Refusal(failure[0], retry_after=failure[2])
        if self.hub.require_token and not self.is_known:
            raise Refusal(401)
        if self.command in ("POST", "DELETE") and "/paths-info/" not in path and not self.is_known:
            raise Refusal(403, message="You have no right to write here.")
        for method, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and self.command in method.split():
                parts = {name: unquote(value or "") for name, value in found.groupdict().items()}
                if "id" in parts:
                    self.repository = self._repository(parts.pop("id"))
                answer(self, **parts)
                return
        raise Refusal(404, message=f"no {self.command} {path} here")

    def _repository(self, id: str) -> Repository:
        found = self.hub.repositories.get(id)
        if found is None or (found.private and not self.is_known):
            raise Refusal(404 if self.is_known else 401, "RepoNotFound")
        return found

    def _answer(self, value: Any, status: int = 200, headers: Mapping[str, str] = JSON) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, refusal: Refusal) -> None:
        headers = {"X-Error-Message": refusal.message, **({"X-Error-Code": refusal.code} if refusal.code else {})}
        headers |= {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
        self._answer({"error": refusal.message}, refusal.status, headers)

    def _values(self) -> Any:
        return json.loads(self.body or b"{}")

    def _whoami(self) -> None:
        if not self.is_known:
            raise Refusal(401, message="Invalid username or password.")
        self._answer({"type": "user", "name": "tester", "orgs": [], "auth": {"type": "access_token"}})

    def _create(self) -> None:
        asked = self._values()
        id = f"{asked.get('organization') or 'tester'}/{asked['name']}"
        url = f"{self.hub.endpoint}/datasets/{id}"
        is_there = id in self.hub.repositories
        if not is_there:
            self.hub.dataset(
                id,
                {".gitattributes": b""},
                private=asked.get("private") is True or asked.get("visibility") == "private",
            )
        self._answer({"url": url, "id": id, "name": id}, 409 if is_there else 200)

    def _info(self, revision: str = "") -> None:
        found, commit = self.repository, self.repository.at(revision or "main")
        siblings = [{"rfilename": path} for path in sorted(commit.files)]
        rights = {"private": found.private, "gated": "manual" if found.gated else False, "disabled": False}
        counts = {"lastModified": DATE, "downloads": 0, "likes": 0, "tags": []}
        self._answer({"id": found.id, "sha": commit.sha, "siblings": siblings, **rights, **counts})

    def _tree(self, revision: str, path: str = "") -> None:
        files = self.repository.at(revision).files
        prefix = f"{path}/" if path else ""
        below = {name: content for name, content in files.items() if name.startswith(prefix)}
        if path and not below:
            raise Refusal(404, "EntryNotFound")
        folders = {"/".join(name.split("/")[:depth]) for name in below for depth in range(1, name.count("/") + 1)}
        entries = [_folder(name) for name in sorted(folders) if name.startswith(prefix)]
        entries += [_file(name, content) for name, content in sorted(below.items())]
        if "recursive=true" not in self.path.lower():
            entries = [entry for entry in entries if "/" not in entry["path"].removeprefix(prefix)]
        self._answer(entries)

    def _paths_info(self, revision: str) -> None:
        files = self.repository.at(revision).files
        wanted = parse_qs(self.body.decode())["paths"]
        found = [_file(path, files[path]) for path in wanted if path in files]
        found += [_folder(path) for path in wanted if any(name.startswith(f"{path}/") for name in files)]
        self._answer(found)

    def _refs(self) -> None:
        def listed(kind: str, refs: Mapping[str, str]) -> list[dict[str, str]]:
            return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": sha} for name, sha in refs.items()]

        found = self.repository
        self._answer({"branches": listed("heads", found.branches), "tags": listed("tags", found.tags), "converts": []})

    def _history(self, revision: str) -> None:
        listed: list[dict[str, Any]] = []
        commit: Commit | None = self.repository.at(revision)
        while commit:
            listed.append({"id": commit.sha, "title": commit.title, "message": "", "authors": [], "date": DATE})
            commit = self.repository.commits[commit.parent] if commit.parent else None
        self._answer(listed)

    def _tag(self, revision: str) -> None:
        name = self._values()["tag"]
        if name in self.repository.tags:
            raise Refusal(409, message=f"Tag reference exists already: {name}")
        self.repository.tags[name] = self.repository.at(revision).sha
        self._answer({})

    def _untag(self, revision: str) -> None:
        if self.repository.tags.pop(revision, None) is None:
            raise Refusal(404, "RevisionNotFound")
        self._answer({})

    def _preupload(self, revision: str) -> None:
        there = self.repository.at(revision).files
        answers = []
        for path in (asked["path"] for asked in self._values()["files"]):
            known = {"oid": _oid(path, there[path])} if path in there else {}
            mode = "lfs" if path.endswith(LARGE) else "regular"
            answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **known})
        self._answer({"files": answers})

    def _batch(self) -> None:
        answers = self._values()["objects"]
        for asked in answers:
            if asked["oid"] not in self.hub.large:
                asked["actions"] = {"upload": {"href": f"{self.hub.endpoint}/lfs/{asked['oid']}"}}
        self._answer({"transfer": "basic", "objects": answers})

    def _put(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refusal(400, message="its sha256 is another")
        self.hub.large[oid] = self.body
        self._answer({})

    def _commit(self, revision: str) -> None:
        meanwhile, self.hub.on_commit = self.hub.on_commit, lambda: None
        meanwhile()
        head = self.repository.at(revision)
        title, files, removed = "", dict[str, bytes](), set[str]()
        for key, value in ((entry["key"], entry["value"]) for entry in map(json.loads, self.body.splitlines())):
            if key == "header":
                title = value["summary"]
                if value.get("parentCommit", head.sha) != head.sha:
                    raise Refusal(412, message="The branch has moved since.")
            elif key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif key == "deletedFile":
                removed.add(value["path"])
            elif key == "deletedFolder":
                removed |= {path for path in head.files if path.startswith(f"{value['path'].rstrip('/')}/")}
        sha = self.repository.commit(files, title, branch=revision, removed=removed)
        url = f"{self.hub.endpoint}/datasets/{self.repository.id}/commit/{sha}"
        if self.hub.loses_next_commit:
            self.hub.loses_next_commit = False
            raise Refusal(502)
        self._answer({"success": True, "commitOid": sha, "commitUrl": url})

    def _resolve(self, revision: str, path: str) -> None:
        if self.repository.gated:
            raise Refusal(403 if self.is_known else 401, "GatedRepo")
        commit = self.repository.at(revision)
        if path not in commit.files:
            raise Refusal(404, "EntryNotFound")
        content = commit.files[path]
        headers = {"ETag": f'"{_oid(path, content)}"', "X-Repo-Commit": commit.sha, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked is None:
            self._answer(content, 200, headers)
            return
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        self._answer(content[start : end + 1], 206, {**headers, "Content-Range": f"bytes {start}-{end}/{len(content)}"})


def _oid(path: str, content: bytes) -> str:
    """What the Hub calls a file: its sha256 where it is large, else its blob in git."""
    if path.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()


def _file(path: str, content: bytes) -> dict[str, Any]:
    oid = _oid(path, content)
    large = {"lfs": {"oid": oid, "size": len(content), "pointerSize": 130}} if path.endswith(LARGE) else {}
    return {"type": "file", "path": path, "size": len(content), "oid": oid, **large}


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": hashlib.sha1(path.encode()).hexdigest()}


_API = r"/api/datasets/(?P<id>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>[^/]+)"
_ROUTES = (
    ("GET", r"/api/whoami-v2", _Handler._whoami),
    ("POST", r"/api/repos/create", _Handler._create),
    ("POST", r"/api/validate-yaml", lambda handler: handler._answer({"errors": [], "warnings": []})),
    ("GET", rf"{_API}(/revision/{_REVISION})?", _Handler._info),
    ("GET", rf"{_API}/tree/{_REVISION}(/(?P<path>.+))?", _Handler._tree),
    ("POST", rf"{_API}/paths-info/{_REVISION}", _Handler._paths_info),
    ("GET", rf"{_API}/refs", _Handler._refs),
    ("GET", rf"{_API}/commits/{_REVISION}", _Handler._history),
    ("POST", rf"{_API}/tag/{_REVISION}", _Handler._tag),
    ("DELETE", rf"{_API}/tag/{_REVISION}", _Handler._untag),
    ("POST", rf"{_API}/preupload/{_REVISION}", _Handler._preupload),
    ("POST", rf"{_API}/commit/{_REVISION}", _Handler._commit),
    ("POST", r"/datasets/(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch", _Handler._batch),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", _Handler._put),
    ("GET HEAD", rf"/datasets/(?P<id>[^/]+/[^/]+)/resolve/{_REVISION}/(?P<path>.+)", _Handler._resolve),
)

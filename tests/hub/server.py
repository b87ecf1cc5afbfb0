"""A small server that speaks the part of the Hugging Face Hub's API that uploads and downloads a model need."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "hf_of_the_tests"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """The server.

    Attributes:
        repositories: name -> path -> content of the committed files.
        objects: SHA-256 -> content of the files sent as large ones.
        asked: method and path of every request.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._file_or_model()

    def do_HEAD(self) -> None:
        self._file_or_model()

    def do_PUT(self) -> None:
        content = self._body()
        self.server.objects[hashlib.sha256(content).hexdigest()] = content
        self._answer({})

    def do_POST(self) -> None:
        content = self._body()
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer({"error": "Invalid credentials"}, 401)
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif self.path == "/api/repos/create":
            asked = json.loads(content)
            name = "/".join(filter(None, [asked.get("organization"), asked["name"]]))
            self.server.repositories.setdefault(name, {})
            self._answer({"url": f"{self.server.address}/{name}", "name": name})
        elif "/preupload/" in self.path:
            files = [file["path"] for file in json.loads(content)["files"]]
            kinds = {path: "lfs" if path.endswith(".safetensors") else "regular" for path in files}
            self._answer({"files": [{"path": p, "uploadMode": kinds[p], "shouldIgnore": False} for p in files]})
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(content)["objects"]
            upload = {"upload": {"href": f"{self.server.address}/upload"}}
            self._answer({"transfer": "basic", "objects": [{**item, "actions": upload} for item in objects]})
        elif "/commit/" in self.path:
            self._commit(self.path.split("/commit/")[0].removeprefix("/api/models/"), content)
        else:
            self._answer({"error": "not found"}, 404)

    def _commit(self, name: str, content: bytes) -> None:
        files = self.server.repositories[name]
        for line in content.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
        url = f"{self.server.address}/{name}/commit/{COMMIT}"
        self._answer({"success": True, "commitOid": COMMIT, "commitUrl": url})

    def _file_or_model(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        model = re.fullmatch(r"/api/models/([^/]+/[^/?]+)(/revision/\w+)?(\?.*)?", self.path)
        tree = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/\w+(\?.*)?", self.path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/\w+/(.+)", self.path)
        name = (model or tree or file or [""] * 2)[1]
        files = self.server.repositories.get(name)
        if files is None:
            self._answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        elif model:
            siblings = [{"rfilename": path} for path in files]
            self._answer(
                {"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
            )
        elif tree:
            sizes = {path: len(content) for path, content in files.items()}
            self._answer([{"type": "file", "path": path, "size": size, "oid": COMMIT} for path, size in sizes.items()])
        elif file and file[2] in files:
            content = files[file[2]]
            self._send(content, 200, {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'})
        else:
            self._answer({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def served() -> Iterator[Hub]:
    """A server on a free port of this machine."""
    hub = Hub()
    thread = Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()

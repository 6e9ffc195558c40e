"""The Hub of the tests answers its own client, also where that publishes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub_server import Hub, Seen

pytestmark = pytest.mark.slow

PUBLISH = """
from pathlib import Path
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError
api, x = HfApi(), {"repo_id": "tester/x", "repo_type": "dataset"}

def status(call, **said):
    try:
        call(**x, **said)
    except HfHubHTTPError as error:
        return error.response.status_code

assert api.whoami()["name"] == "tester"
api.create_repo(**x)
assert status(api.create_repo) == 409
api.create_repo(**x, exist_ok=True)
before = api.dataset_info("tester/x").sha
added = [CommitOperationAdd("README.md", b"# x"), CommitOperationAdd("data/a.parquet", b"PAR1PAR1")]
made = api.create_commit(**x, operations=added, commit_message="one", parent_commit=before).oid
assert status(api.create_commit, operations=[CommitOperationAdd("b.txt", b"")], commit_message="late", parent_commit=before) == 412
api.create_tag(**x, tag="v1")
assert status(api.create_tag, tag="v1") == 409
assert [(ref.name, ref.target_commit) for ref in api.list_repo_refs(**x).tags] == [("v1", made)]
assert api.list_repo_files(**x, revision="v1") == [".gitattributes", "README.md", "data/a.parquet"]
assert [entry.path for entry in api.list_repo_tree(**x)] == ["data", ".gitattributes", "README.md"]
assert [entry.path for entry in api.list_repo_tree(**x, path_in_repo="data")] == ["data/a.parquet"]
assert [entry.path for entry in api.get_paths_info(**x, paths=["README.md", "data", "none"])] == ["README.md", "data"]
assert [commit.title for commit in api.list_repo_commits(**x)] == ["one", "commit"]
assert Path(hf_hub_download(**x, filename="data/a.parquet", revision="v1")).read_bytes() == b"PAR1PAR1"
api.delete_folder(**x, path_in_repo="data")
assert api.list_repo_files(**x) == [".gitattributes", "README.md"]
api.delete_tag(**x, tag="v1")
assert api.list_repo_refs(**x).tags == []
"""


def run(hub: Hub, home: Path, code: str, token: str) -> subprocess.CompletedProcess[str]:
    settings = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1"}
    environment = {**os.environ, **settings, "HF_HUB_DISABLE_TELEMETRY": "1"}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_a_dataset_is_published_from_its_creation_to_its_tag(tmp_path: Path):
    with Hub() as hub:
        done = run(hub, tmp_path, PUBLISH, hub.token)
        assert (done.returncode, done.stderr) == (0, "")
        assert any(seen.method == "PUT" and not seen.token for seen in hub.seen)


def test_who_may_not_write_does_not(tmp_path: Path):
    with Hub() as hub:
        done = run(
            hub, tmp_path, "import huggingface_hub as h; h.create_repo('tester/x', repo_type='dataset')", "other"
        )
        assert "403" in done.stderr
        assert hub.repositories == {}
        assert hub.seen[-1] == Seen("POST", "/api/repos/create", token=True)


def test_a_hub_that_wants_a_token_has_nothing_without_it(tmp_path: Path):
    code = "import huggingface_hub as h; print(h.dataset_info('me/x').sha)"
    with Hub(require_token=True) as hub:
        sha = hub.dataset("me/x", {"a.jsonl": b"{}"}).branches["main"]
        assert "401" in run(hub, tmp_path, code, "other").stderr
        assert run(hub, tmp_path, code, hub.token).stdout == f"{sha}\n"

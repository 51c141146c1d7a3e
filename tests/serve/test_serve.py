"""`rnass serve` as a program: two jobs, a bad file, a restart in the middle of a job, refusals."""

import gzip
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from report_folders import HAIRPIN

pytest.importorskip("uvicorn", reason="uvicorn is not installed")

ROOT = Path(__file__).parents[2]


class Server:
    """A server in a process of its own; `ask` sends one request to it."""

    def __init__(self, folder, weights, *options, port=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = port or free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "rnass.cli",
            "serve",
            "-o",
            str(folder),
            "--port",
            str(self.port),
        ]
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [*command, "--weights", weights, "--threads", "1", *options],
            env={**os.environ, "PYTHONPATH": paths},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.1)

    def ask(self, method, path, body=None, **headers):
        """Status, headers and body of an answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)) as connection:
            return self._asked(connection, method, path, body, headers)

    def _asked(self, connection, method, path, body, headers):
        connection.putrequest(method, path, skip_host="Host" in headers)
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        for name, value in given.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def submit(self, fasta, **options):
        status, _, body = self.ask("POST", "/jobs", {"fasta": fasta, **options})
        return status, json.loads(body)

    def until(self, name, state):
        for _ in range(6000):
            status = json.loads(self.ask("GET", f"/jobs/{name}")[2])
            if status["state"] == state:
                return status
            assert status["state"] != "failed", status
            time.sleep(0.1)
        raise AssertionError(status)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=300)


@pytest.fixture(scope="module")
def server(tmp_path_factory, weights):
    one = Server(tmp_path_factory.mktemp("serve") / "jobs", weights, "--max-upload", "20000")
    yield one
    one.stop()


FASTA = f">../../evil name\n{HAIRPIN[0]}\n"


def test_two_jobs_give_two_reports_that_do_not_mix(server):
    made = [server.submit(f">{name}\n{HAIRPIN[0]}\n") for name in ("first", "second")]
    assert [status for status, _ in made] == [201, 201]
    for (_, job), name in zip(made, ("first", "second"), strict=True):
        status = server.until(job["id"], "done")
        assert (status["records"], status["finished"], status["report"]) == (1, 1, True)
        code, _, page = server.ask("GET", f"/jobs/{job['id']}/report.html")
        assert code == 200
        assert f'"id": "{name}"'.encode() in page
        code, headers, data = server.ask("GET", f"/jobs/{job['id']}/results.zip")
        assert "attachment" in headers["content-disposition"]
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {Path(file).name for file in archive.namelist()}
        assert {f"{name}.ct", f"{name}.npy", "summary.tsv", "report.html"} <= names


def test_a_bad_file_is_told_beside_its_line(server):
    status, found = server.submit(">a\nGGXGG\n")
    message = "input.fa:2 (a): letter 'X' at base 3; expected A, C, G, U, T or an IUPAC code"
    assert (status, found) == (422, {"problems": [[message, 2]], "others": 0})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 422),
        ({"fasta": ">a\nGGGAAACCC\n", "weights": "/etc/passwd"}, 422),
        ({"fasta": ">a\nGGGAAACCC\n", "alternatives": 10**6}, 422),
        ({"fasta": ">a\n" + "A" * 30_000}, 413),
    ],
)
def test_what_is_no_request_of_the_page_is_refused(server, body, status):
    assert server.ask("POST", "/jobs", body)[0] == status


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "169.254.1.1"]
)
def test_another_host_is_refused(server, host):
    assert server.ask("GET", "/", Host=host)[0] == 400


def test_another_site_is_refused(server):
    body = {"fasta": FASTA}
    assert server.ask("POST", "/jobs", body, Origin="http://evil.example")[0] == 403
    assert server.ask("POST", "/jobs", body, Content_Type="text/plain")[0] == 415
    bad = {"fasta": ""}
    assert server.ask("POST", "/jobs", bad, Content_Type="Application/JSON ; charset=utf-8")[0] == 422
    answer = server.ask("GET", "/limits", Origin="http://evil.example")
    assert "access-control-allow-origin" not in answer[1]


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/../../../../etc/passwd",
        "/jobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/jobs/..%2f..%2fetc/report.html",
        "/jobs/%2fetc%2fpasswd/results.zip",
        "/assets/../jobs.py",
        "/assets/..%2fjobs.py",
        "/assets/page.html%00",
        "/jobs/" + "0" * 32 + "/report.html",
        "/jobs/" + "0" * 32 + "/input.fa",
    ],
)
def test_no_path_leads_out_of_the_folder(server, path):
    status, _, body = server.ask("GET", path)
    assert status == 404
    assert b"root:" not in body


def test_names_of_records_never_become_paths(server):
    _, job = server.submit(FASTA)
    server.until(job["id"], "done")
    with zipfile.ZipFile(io.BytesIO(server.ask("GET", f"/jobs/{job['id']}/results.zip")[2])) as archive:
        assert all(name.count("/") == 1 and ".." not in name for name in archive.namelist())


def test_a_removed_job_is_gone(server):
    _, job = server.submit(FASTA)
    assert server.ask("DELETE", f"/jobs/{job['id']}")[0] == 204
    assert server.ask("GET", f"/jobs/{job['id']}")[0] == 404


def test_it_listens_on_this_computer_alone(server):
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.2", server.port)) != 0  # another address of this computer


def test_a_restart_in_the_middle_of_a_job_loses_nothing(tmp_path, weights):
    fasta = "".join(f">r{k}\n{'GGGGGAAAACCCCC' * 12}\n" for k in range(60))
    server = Server(tmp_path / "jobs", weights)
    _, job = server.submit(fasta)
    for _ in range(6000):
        if json.loads(server.ask("GET", f"/jobs/{job['id']}")[2])["finished"]:
            break
        time.sleep(0.05)
    server.stop()
    saved = json.loads((tmp_path / "jobs" / job["id"] / "job.json").read_text())
    assert saved["state"] == "running"
    server = Server(tmp_path / "jobs", weights)
    try:
        status = server.until(job["id"], "done")
    finally:
        server.stop()
    assert (status["records"], status["finished"]) == (60, 60)
    assert any("finished already" in message for message in status["messages"])


def test_a_stalled_request_does_not_keep_the_server(tmp_path, weights):
    server = Server(tmp_path / "jobs", weights)
    _, job = server.submit("".join(f">r{k}\n{'GGGGGAAAACCCCC' * 12}\n" for k in range(60)))
    server.until(job["id"], "running")
    with socket.create_connection(("127.0.0.1", server.port)) as stalled:
        stalled.sendall(
            f"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        time.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        _, told = server.process.communicate(timeout=60)
    assert told.count("\n") == 1  # the address
    saved = json.loads((tmp_path / "jobs" / job["id"] / "job.json").read_text())
    assert saved["state"] == "running"


def test_a_port_in_use_is_refused_before_anything_is_made(server, weights, rna, tmp_path):
    status, out, error = rna("serve", "-o", "jobs", "--port", server.port, "--weights", weights)
    expected = f"rnass: --port {server.port}: address already in use; expected a free port\n"
    assert (status, out, error) == (2, "", expected)
    assert not (tmp_path / "jobs").exists()


def test_unknown_weights_are_refused_at_the_start(rna, tmp_path):
    status, _, error = rna("serve", "-o", "jobs", "--weights", "none-such")
    assert status == 2
    assert error.startswith("rnass: weights 'none-such': not a file")
    assert not (tmp_path / "jobs").exists()


def test_a_browser_knows_its_jobs_after_a_visit_to_another_folder(tmp_path, weights, page):
    expect = pytest.importorskip("playwright.sync_api").expect
    port = None
    for visit, (folder, jobs) in enumerate((("one", 0), ("two", 0), ("one", 1))):
        one = Server(tmp_path / folder, weights, port=port)
        port = one.port
        page.goto(f"http://127.0.0.1:{port}/")
        expect(page.locator("#limits")).to_contain_text("at most")
        expect(page.locator("#jobs li")).to_have_count(jobs)
        if visit == 0:
            page.fill("#fasta", ">a\nGGGAAACCC\n")
            page.click("#predict")
            expect(page.locator("#jobs li")).to_have_count(1)
        one.stop()


def test_a_list_that_is_followed_keeps_the_focus(server, page):
    expect = pytest.importorskip("playwright.sync_api").expect
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.fill("#fasta", "".join(f">r{k}\nGGGGGAAAACCCCC\n" for k in range(30)))
    page.click("#predict")
    button = page.locator("#jobs li button")
    button.focus()
    expect(page.locator("#jobs li[data-state=done]")).to_have_count(1)
    expect(button).to_be_focused()
    expect(page.locator("#jobs li .message")).to_have_text(re.compile("^r0 and others, "))


def test_files_that_the_page_opens(server, page):
    expect = pytest.importorskip("playwright.sync_api").expect
    page.goto(f"http://127.0.0.1:{server.port}/")
    text = b">a\nGGGAAACCC\n"
    for name, content in (("a.fa", text), ("a.fa.gz", gzip.compress(text))):
        page.fill("#fasta", "")
        page.set_input_files("#file", {"name": name, "mimeType": "", "buffer": content})
        expect(page.locator("#fasta")).to_have_value(text.decode())
    for content in (b"PK\x03\x04\xff\xfe", b">a\nGG\0GG\n", b"\x1f\x8bdamaged"):
        page.set_input_files("#file", {"name": "a.docx", "mimeType": "", "buffer": content})
        expect(page.locator("#problems")).to_contain_text("a.docx: no plain text; expected FASTA")
        expect(page.locator("#fasta")).to_have_value(text.decode())
        page.set_input_files("#file", [])
    page.fill("#fasta", ">a\nGGXGG\n")
    page.click("#predict")
    expect(page.locator("#problems .line")).to_have_text("2: GGXGG")
    expect(page.locator("#others")).to_have_count(0)


def test_the_page_in_a_browser(server, page):
    expect = pytest.importorskip("playwright.sync_api").expect
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.fill("#fasta", ">a\nGGXGG\n>b\nGGGAAACCC\n")
    page.click("#predict")
    expect(page.locator("#problems .line")).to_have_text("2: GGXGG")
    expect(page.locator("#problems")).to_contain_text("input.fa:2 (a): letter 'X' at base 3")
    assert page.evaluate("getSelection().toString()") == "GGXGG"
    page.click("#others")
    expect(page.locator("#jobs li[data-state=done]")).to_have_count(1)
    expect(page.locator("#jobs li .message")).to_have_text(re.compile(r"^b, .*\d"))
    expect(page.locator("#told")).to_have_text("b: done: 1 record, 1 failed")
    with page.expect_download() as download:
        page.get_by_role("link", name="all files, zip").click()
    assert download.value.suggested_filename.endswith(".zip")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="report").click()
    report = opened.value
    report.wait_for_selector("body[data-ready]")
    assert report.title() == "rnass: b"
    report.get_by_role("button", name="open b", exact=True).click()
    report.wait_for_selector("#panel-drawing svg circle")
    hosts = {url.split("/")[2] for url in page.requests if url.startswith("http")}
    assert hosts == {f"127.0.0.1:{server.port}"}
    for answer, left in (("dismiss", 1), ("accept", 0)):
        page.once("dialog", lambda asked, answer=answer: getattr(asked, answer)())
        page.get_by_role("button", name="delete").click()
        expect(page.locator("#jobs li")).to_have_count(left)
    assert [problem for problem in page.problems if "422" not in problem] == []

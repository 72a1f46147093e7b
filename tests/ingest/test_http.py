"""Nothing reaches a private address, however it is written, resolved or redirected to."""

import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.http import MAX_REDIRECTS, Guard, GuardedClient, OutboundFailed, OutboundRefused

REFUSED = r"""
http://127.0.0.1/
http://127.0.0.1:80/
https://127.0.0.1/
http://127.1/
http://127.0.1/
http://127.127.127.127/
http://2130706433/
http://017700000001/
http://0177.0.0.1/
http://0177.0.0.01/
http://0x7f.0.0.1/
http://0x7f000001/
http://0x7f.1/
http://0X7F.0X0.0X0.0X1/
http://0/
http://0.0.0.0/
http://00000.0/
http://[::1]/
http://[::]/
http://[0:0:0:0:0:0:0:1]/
http://[::ffff:127.0.0.1]/
http://[::ffff:7f00:1]/
http://[::ffff:10.0.0.1]/
http://[::127.0.0.1]/
http://[::ffff:0:127.0.0.1]/
http://[64:ff9b::127.0.0.1]/
http://[64:ff9b::7f00:1]/
http://[64:ff9b::a9fe:a9fe]/
http://[64:ff9b:1::7f00:1]/
http://[2002:7f00:1::]/
http://[2002:a00:1::]/
http://[2001:0:7f00:1::]/
http://[fe80::1]/
http://[fe80::1%25eth0]/
http://[fc00::1]/
http://[fd12:3456::1]/
http://[ff02::1]/
http://[2001:db8::1]/
http://10.0.0.1/
http://10.255.255.255/
http://172.16.0.1/
http://172.31.255.254/
http://192.168.0.1/
http://192.168.1.1:443/
http://169.254.169.254/
http://169.254.169.254/latest/meta-data/
http://2852039166/
http://0xa9fea9fe/
http://0251.0376.0251.0376/
http://100.64.0.1/
http://100.100.100.200/
http://198.18.0.1/
http://192.0.0.1/
http://192.0.2.1/
http://203.0.113.1/
http://224.0.0.1/
http://240.0.0.1/
http://255.255.255.255/
http://localhost/
http://LOCALHOST/
http://localhost./
http://internal.test/
http://mixed.test/
http://six.test/
http://mapped.test/
http://user@public.test/
http://user:pass@public.test/
http://public.test@127.0.0.1/
http://127.0.0.1#@public.test/
http://127.0.0.1?@public.test/
http://public.test\\@127.0.0.1/
http://public.test%2f@127.0.0.1/
http:\\\\127.0.0.1\\
http://127。0。0。1/
http://127．0．0．1/
http://１２７.０.０.１/
http://①②⑦.⓪.⓪.①/
http://ｌｏｃａｌｈｏｓｔ/
http://public.test:22/
http://public.test:8080/
http://public.test:6379/
http://public.test:99999/
http://public.test:-1/
ftp://public.test/
file:///etc/passwd
gopher://127.0.0.1:6379/
dict://127.0.0.1:11211/
javascript:alert(1)
//127.0.0.1/
http:///etc/passwd
http://
http://nowhere.test/
http://1.2.3.4.5/
http://256.256.256.256/
http://public.test/\r\nHost: 127.0.0.1
http://pub lic.test/
http://public.test\t/
""".strip().split("\n")

ALLOWED = """
http://public.test/
https://public.test/
http://public.test:80/a?b=c#d
https://public.test:443/
https://PUBLIC.test./
http://93.184.216.34/
http://[2606:2800:220:1:248:1893:25c8:1946]/
https://中文.test/通告
http://public.test/path@with/at
http://public.test/?next=http://127.0.0.1/
http://desk.bureau.test/
http://10.20.30.40:9000/hook
http://gate.bureau.test:8443/hook
""".strip().split("\n")

NAMES = {
    "public.test": ["93.184.216.34"],
    "xn--fiq228c.test": ["93.184.216.34"],
    "localhost": ["127.0.0.1", "::1"],
    "internal.test": ["10.1.2.3"],
    "mixed.test": ["93.184.216.34", "127.0.0.1"],
    "six.test": ["::1"],
    "mapped.test": ["::ffff:192.168.0.1"],
    "desk.bureau.test": ["10.1.1.1"],
    "gate.bureau.test": ["172.20.0.9"],
}
ALLOW = ("desk.bureau.test", "10.20.30.0/24", "gate.bureau.test:8443")


def resolver(host: str, _port: int) -> Sequence[str]:
    try:
        return NAMES[host]
    except KeyError as unknown:
        raise OSError("no such name") from unknown


def test_the_table_is_long_enough() -> None:
    assert len(set(REFUSED)) >= 80
    assert len(ALLOWED) >= 12


@pytest.mark.parametrize("url", REFUSED)
def test_refused(url: str) -> None:
    url = url.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
    with pytest.raises(OutboundRefused):
        Guard((), resolver).check(url)


@pytest.mark.parametrize("url", ALLOWED)
def test_allowed(url: str) -> None:
    assert Guard(ALLOW, resolver).check(url).addresses


def test_a_name_is_open_only_on_the_port_it_was_allowed_for() -> None:
    with pytest.raises(OutboundRefused):
        Guard(ALLOW, resolver).check("http://gate.bureau.test:9999/")


class Canary:
    """A listener that must not be reached but by those allowed; notes Host and path of each request."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}


@pytest.fixture
def canary() -> Iterator[Canary]:
    canary = Canary()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            canary.asked.append((self.headers["Host"], self.path, self.headers.get("Authorization")))
            answer = canary.answers.get(self.path)
            if answer:
                answer(self)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"here")

        do_POST = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    canary.port = server.server_port  # type: ignore[attr-defined]
    yield canary
    server.shutdown()
    server.server_close()
    thread.join(5)


def _redirect(to: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", to)
        request.end_headers()

    return answer


def test_the_connection_goes_to_the_address_that_was_checked(canary: Canary) -> None:
    port = canary.port  # type: ignore[attr-defined]
    asked: list[str] = []

    def once(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with GuardedClient([f"desk.test:{port}"], resolver=once) as client:
        assert client.get(f"http://desk.test:{port}/x").body == b"here"
    assert asked == ["desk.test"]  # resolved once, by us; nobody resolves it again to connect
    assert canary.asked == [(f"desk.test:{port}", "/x", None)]


@pytest.mark.parametrize("sequence", range(20))
def test_rebinding_finds_no_second_answer(canary: Canary, sequence: int) -> None:
    port = canary.port  # type: ignore[attr-defined]
    answers = iter([["93.184.216.34"]] * (sequence % 3) + [["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]] * 5)
    guard = Guard((), lambda _host, _port: next(answers))
    for _ in range(sequence % 3):
        assert [str(one) for one in guard.check("http://rebind.test/").addresses] == ["93.184.216.34"]
    with (
        GuardedClient([f"rebind.test:{port}x"], resolver=lambda _host, _port: ["127.0.0.1"]) as client,
        pytest.raises(OutboundRefused),
    ):
        client.get("http://rebind.test/")
    with pytest.raises(OutboundRefused):
        guard.check("http://rebind.test/")
    assert canary.asked == []


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1/", "http://169.254.169.254/", "http://0x7f.1/", "file:///etc/passwd", "http://[::1]:80/"],
)
def test_a_redirect_is_checked_like_a_first_request(canary: Canary, target: str) -> None:
    port = canary.port  # type: ignore[attr-defined]
    canary.answers["/go"] = _redirect(target)
    with (
        GuardedClient([f"desk.test:{port}"], resolver=lambda _host, _port: ["127.0.0.1"]) as client,
        pytest.raises(OutboundRefused),
    ):
        client.get(f"http://desk.test:{port}/go")
    assert [path for _host, path, _secret in canary.asked] == ["/go"]


def test_redirects_end(canary: Canary) -> None:
    port = canary.port  # type: ignore[attr-defined]
    canary.answers["/loop"] = _redirect("/loop")
    with (
        GuardedClient([f"desk.test:{port}"], resolver=lambda _host, _port: ["127.0.0.1"]) as client,
        pytest.raises(OutboundRefused),
    ):
        client.get(f"http://desk.test:{port}/loop")
    assert len(canary.asked) == MAX_REDIRECTS + 1


def test_a_secret_stays_with_the_host_it_was_meant_for(canary: Canary) -> None:
    port = canary.port  # type: ignore[attr-defined]
    canary.answers["/go"] = _redirect(f"http://other.test:{port}/there")
    with GuardedClient(
        [f"desk.test:{port}", f"other.test:{port}"], resolver=lambda _host, _port: ["127.0.0.1"]
    ) as client:
        client.get(f"http://desk.test:{port}/go", headers={"Authorization": "Bearer s3cret"})
    assert [secret for _host, _path, secret in canary.asked] == ["Bearer s3cret", None]


def test_a_post_is_not_redirected_and_its_answer_is_cut_short(canary: Canary) -> None:
    port = canary.port  # type: ignore[attr-defined]
    canary.answers["/go"] = _redirect("/there")

    def long(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"x" * 100_000)

    canary.answers["/long"] = long
    with GuardedClient([f"desk.test:{port}"], resolver=lambda _host, _port: ["127.0.0.1"]) as client:
        assert client.post(f"http://desk.test:{port}/go", content=b"{}")[0] == 302
        assert client.post(f"http://desk.test:{port}/long", content=b"{}")[2] == "x" * 4096


def test_network_trouble_has_one_name() -> None:
    with GuardedClient(["127.0.0.1"], timeout=2) as client, pytest.raises(OutboundFailed):
        client.get("http://127.0.0.1:1/")


def test_the_environment_s_proxy_is_not_used(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    port = canary.port  # type: ignore[attr-defined]
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with GuardedClient([f"desk.test:{port}"], resolver=lambda _host, _port: ["127.0.0.1"]) as client:
        assert client.get(f"http://desk.test:{port}/x").status == 200

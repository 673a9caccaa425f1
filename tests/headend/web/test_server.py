"""Serving pages in the head end's loop."""

import asyncio
import json
import socket
import subprocess
import sys

import httpx
import pytest

from meterway.base.errors import ConfigError
from meterway.headend.config import WebConfig
from meterway.headend.live import Happening
from meterway.headend.web.server import serve


def run(head_end, scenario, **given):
    async def main():
        server = await serve(head_end, **given)
        try:
            async with httpx.AsyncClient(base_url=server.address) as http:
                return await scenario(server, http)
        finally:
            await server.stop()

    return asyncio.run(main())


def test_pages_are_served_at_the_address_told(head_end):
    async def scenario(server, http):
        assert server.address == f"http://127.0.0.1:{server.port}/"
        return (await http.get("/")).status_code

    assert run(head_end, scenario, port=0) == 200


def test_a_live_stream_tells_and_ends_when_the_server_stops(head_end):
    async def scenario(server, http):
        lines = []
        async with http.stream("GET", "/live") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("event:"):
                    stopping = asyncio.create_task(server.stop())
                lines.append(line)
        await stopping
        return lines

    assert "event: totals" in run(head_end, scenario)


def test_a_page_that_was_cut_off_gets_the_rest(head_end):
    for text in "abc":
        head_end.live.tell(Happening("push", "M1", text, 0.0, {}))

    async def scenario(_, http):
        async with http.stream("GET", "/live?after=0", headers={"Last-Event-ID": "2"}) as answer:
            return await anext(line async for line in answer.aiter_lines() if "rows" in line)

    told = json.loads(run(head_end, scenario).removeprefix("data: "))
    assert [row["text"] for row in told["rows"]] == ["c"]


def test_a_taken_port_is_named(head_end):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port} cannot be listened on"):
            asyncio.run(serve(head_end, port=port))


@pytest.mark.covers("SEC-09")
def test_pages_for_others_are_never_served_without_tokens(head_end, tmp_path):
    (tmp_path / "tokens").write_text("")
    with pytest.raises(ConfigError, match="file of tokens is needed"):
        asyncio.run(serve(head_end, "0.0.0.0", 0))


def test_a_file_of_tokens_that_is_wrong_is_named_with_its_line(head_end, tmp_path):
    (tmp_path / "tokens").write_text("anna\n")
    with pytest.raises(ConfigError, match="tokens line 1"):
        asyncio.run(serve(head_end, port=0))


def test_a_port_of_its_own_on_ipv6(head_end):
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback address")

    async def scenario(server, http):
        return server.address, (await http.get("/api/v1/meters")).status_code

    address, status = run(head_end, scenario, host="::1", port=0)
    assert address.startswith("http://[::1]:")
    assert status == 200


def test_a_head_end_without_pages_never_loads_the_web_framework():
    code = "import sys, meterway.headend.serve; sys.exit('litestar' in sys.modules or 'uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_configured_port_is_the_default(head_end):
    assert isinstance(head_end.config.web, WebConfig)

    async def scenario(server, _):
        return server.port

    assert run(head_end, scenario) > 0

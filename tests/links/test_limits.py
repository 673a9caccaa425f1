import pytest

from meterway.links.limits import raise_file_limit

resource = pytest.importorskip("resource")


def test_the_soft_limit_rises_to_what_is_allowed_and_never_falls() -> None:
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, 256), hard))
        assert raise_file_limit(300) == 300
        assert raise_file_limit(10) == 300
        if hard != resource.RLIM_INFINITY:
            assert raise_file_limit(1 << 40) == hard
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))

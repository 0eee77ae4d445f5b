"""What was encoded is kept within its bytes; what was used longest ago goes first."""

import numpy as np

from engine.worker.media_cache import EncodedMedia, MediaCache


def encoded(numbers):
    return EncodedMedia((), (np.zeros(numbers, dtype=np.float32),))


def test_what_is_kept_is_found_and_counted():
    cache = MediaCache(100)
    assert cache.find(b"a") is None
    picture = encoded(5)
    cache.keep(b"a", picture)
    assert cache.find(b"a") is picture
    assert (cache.hits, cache.misses, cache.size_bytes) == (1, 1, 20)


def test_the_one_used_longest_ago_goes_first():
    cache = MediaCache(40)
    for key in (b"a", b"b"):
        cache.keep(key, encoded(5))
    cache.find(b"a")
    cache.keep(b"c", encoded(5))
    assert [cache.find(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    assert cache.size_bytes == 40


def test_what_is_too_large_displaces_nothing():
    cache = MediaCache(40)
    cache.keep(b"a", encoded(5))
    cache.keep(b"b", encoded(11))
    assert cache.find(b"a") is not None
    assert cache.size_bytes == 20


def test_the_same_again_is_counted_once():
    cache = MediaCache(40)
    for _ in range(3):
        cache.keep(b"a", encoded(5))
    assert cache.size_bytes == 20

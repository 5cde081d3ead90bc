"""As many are decoded at a time as fit, and threads take turns."""

import hashlib
import threading

import pytest
import torch

from explorer import Engine, load
from explorer.devices import Turns, at_once
from tests.support.models import small_checkpoint


@pytest.mark.parametrize(
    ("model", "most"),
    [("vae", 2000), ("hvae", 2000), ("convvae", 128), ("convhvae", 128), ("pixelhvae", 128)],
)
def test_convolutions_take_as_many_pictures_as_the_cache_holds(model, most):
    network = small_checkpoint("standard", model=model).model
    assert at_once(network, 2000) == most
    assert at_once(network, 5) == 5


def test_threads_get_their_turn_in_the_order_in_which_they_came():
    turns, order, asked = Turns(), [], []

    def wait(name):
        asked.append(name)
        with turns:
            order.append(name)

    threads = []
    with turns:
        for name in range(5):
            threads.append(threading.Thread(target=wait, args=(name,)))
            threads[-1].start()
            while len(turns._waiting) <= name:
                pass
        assert order == []
    with turns:  # whoever releases it comes after those who waited
        order.append("again")
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, "again"]


def test_a_thread_that_has_its_turn_keeps_it_until_it_is_out():
    turns = Turns()
    with turns:
        with turns:
            pass
        other = threading.Thread(target=turns.__enter__)
        other.start()
        while not turns._waiting:
            pass
        assert other.is_alive()
    other.join()
    assert turns._owner == other.ident


def test_what_is_drawn_and_decoded_does_not_depend_on_the_number_of_threads():
    usual, found = torch.get_num_threads(), {}
    try:
        for threads in (1, 2, 4, 8):
            torch.set_num_threads(threads)
            for slug in ("mnist-static-vae-vamp-40", "mnist-static-hvae-vamp-80"):
                engine = Engine(load(slug), "cpu")
                drawn = engine.sample(70, 1.0, 0)
                whole = (drawn.z, drawn.x, drawn.log_density, engine.encode(drawn.x).loc)
                digest = hashlib.sha256(b"".join(part.tobytes() for part in whole)).hexdigest()
                assert found.setdefault(slug, digest) == digest
                assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(usual)

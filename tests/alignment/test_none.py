from mmtrain.alignment import Nothing


def test_it_costs_nothing() -> None:
    assert Nothing({"image": 4})({}, {}) == {}

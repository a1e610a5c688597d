"""Names beside points can be read."""

from itertools import combinations

from rerank.figures.labels import _box, _shared, sides, wrapped


def covered(points: list[tuple[float, float, str]]) -> float:
    boxes = [_box(x, y, name, side) for (x, y, name), side in zip(points, sides(points), strict=True)]
    return sum(_shared(one, two) for one, two in combinations(boxes, 2))


def test_a_name_alone_stands_at_its_points_right() -> None:
    assert sides([(0.5, 0.5, "C")]) == ["bottom right"]


def test_names_of_points_that_coincide_do_not_cover_each_other() -> None:
    assert covered([(0.5, 0.5, "First stage"), (0.5, 0.5, "Embedding + fusion")]) == 0
    assert covered([(0.5, 0.5, "C"), (0.52, 0.51, "D"), (0.5, 0.49, "C→D"), (0.51, 0.5, "D→C")]) == 0


def test_a_name_at_the_edge_stands_on_the_inner_side() -> None:
    assert sides([(0.95, 0.5, "C→D + fusion")]) == ["bottom left"]
    assert sides([(0.5, 0.01, "C")]) == ["top right"]


def test_wide_letters_count_twice() -> None:
    left, _, right, _ = _box(0.0, 0.5, "ベース", "top right")
    assert right - left == 2 * (_box(0.0, 0.5, "abc", "top right")[2])


def test_a_label_is_broken_at_spaces_and_anywhere_in_japanese() -> None:
    assert wrapped("C + fusion vs First stage", 20) == "C + fusion vs First<br>stage"
    assert wrapped("対照学習", 4) == "対照<br>学習"
    assert wrapped("C＋融合 対 第一段検索", 20) == "C＋融合 対<br>第一段検索"
    assert wrapped("unbreakable", 4) == "unbreakable"

"""Where a picture lies in one of another shape."""


def placed(given: tuple[int, int], size: tuple[int, int], fit: str) -> tuple[tuple[float, float, float, float], tuple[int, int]]:
    """The part of a picture, given by its (width, height), that is kept, and the size that it gets."""
    whole = (0.0, 0.0, float(given[0]), float(given[1]))
    ratios = size[0] / given[0], size[1] / given[1]
    if fit == "pad":
        return whole, (max(1, round(given[0] * min(ratios))), max(1, round(given[1] * min(ratios))))
    if fit == "crop":
        width, height = min(given[0], size[0] / max(ratios)), min(given[1], size[1] / max(ratios))
        left, top = (given[0] - width) / 2, (given[1] - height) / 2
        return (left, top, left + width, top + height), size
    return whole, size

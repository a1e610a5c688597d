"""Energy, judging work and projections by hand."""

import pytest

from rerank.cost.benefit import Ranged
from rerank.cost.energy import carbon_price, device_power, electricity_price, energy_of
from rerank.cost.judging import judging_work
from rerank.cost.prices import Price, current_prices, device_price
from rerank.cost.projection import projected_ms, projected_usd
from rerank.errors import RerankError

GPU = Price("gpu", "L4 24GB", "hour", 0.8, "2026-06", "x")
RATIO = Ranged(20.0, 10.0, 50.0)


def test_energy_is_watts_times_seconds_and_the_grid_emits_for_it() -> None:
    # Two hours at 500 W: 1 kWh, 485 g in Japan, 20 cents.
    grid = Price("carbon", "Japan grid", "g CO2e per kWh", 485, "2023", "x")
    found = energy_of(7200, 500, grid, Price("energy", "electricity", "kWh", 0.2, "2026", "x"))
    assert (found.kwh, found.co2e_g, found.usd) == pytest.approx((1.0, 485.0, 0.2))


@pytest.mark.parametrize(
    ("kind", "name", "watts"),
    [
        ("cpu", "AMD EPYC", 60),
        ("cuda", "NVIDIA H100 80GB HBM3", 700),
        ("cuda", "NVIDIA L4", 72),
        ("cuda", "Tesla T4", 70),
        ("cuda", "NVIDIA H200", 700),
    ],
)
def test_the_bundled_table_knows_the_power_of_every_device_it_prices(kind: str, name: str, watts: float) -> None:
    prices = current_prices()
    assert device_power(device_price(kind, name, prices), prices).usd == watts


def test_an_own_name_for_a_machine_takes_the_power_of_its_kind() -> None:
    prices = current_prices()
    assert device_power(Price("cpu", "our server", "hour", 1, "2026", "x"), prices).usd == 60
    assert device_power(Price("gpu", "B300 288GB", "hour", 9, "2026", "x"), prices).usd == 700


def test_an_unknown_grid_is_never_understated_and_a_table_without_one_is_refused() -> None:
    prices = current_prices()
    assert carbon_price("Japan grid", prices).usd == 485
    assert carbon_price("nowhere", prices).usd == 485
    assert electricity_price(prices).unit == "kWh"
    for missing in (lambda: carbon_price("x", []), lambda: electricity_price([]), lambda: device_power(GPU, [])):
        with pytest.raises(RerankError, match="price_missing"):
            missing()


def test_judgments_take_hours_days_and_money() -> None:
    # 1,200 x 1.5 min = 30 h; two judges give 5 h a week each: 3 weeks, 15 working days; 30 h x 40.
    found = judging_work(1200, minutes_per_judgment=1.5, n_judges=2, hours_per_week=5, usd_per_hour=40)
    assert (found.hours, found.working_days, found.usd) == pytest.approx((30, 15, 1200))


def test_a_projection_divides_seconds_by_the_ratio_and_the_fastest_gpu_is_the_cheap_end() -> None:
    # 36,000 s are 1,800 s at 20 x: half an hour at .80 an hour; 3,600 s at 10 x, 720 s at 50 x.
    found = projected_usd(36_000, RATIO, GPU)
    assert (found.value, found.low, found.high) == pytest.approx((0.4, 0.16, 0.8))
    assert projected_ms(200, RATIO) == Ranged(10, 4, 20)

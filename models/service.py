"""One report on what people went without: power, water, hospitals, and how evenly it was borne.

Beside the figures of the power and water models this one adds up, exactly from change to change, the
equivalent outage hours of both networks, the hours hospitals ran on their own supply or on none, and
how outages were shared among zones. It watches and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of
from twin.contract import HOUR, Kpi, Model, Setup
from twin.fields import Field
from twin.models.assets import household_of
from twin.models.service_metrics import by_group, equitable_service, gini, prioritised_service, worst_part

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_CURVES = ("power_ecs", "power_pcs", "water_ecs", "water_pcs")
_HOSPITALS = ("hospital_backup", "hospital_dark")
_EOH = "equivalent outage hours: time integral of one less "

REPORT: tuple[tuple[str, str, str], ...] = (
    ("saidi", "SAIDI, min", "IEEE 1366-2022: minutes of sustained interruption per customer"),
    ("saifi", "SAIFI", "IEEE 1366-2022: sustained interruptions per customer"),
    ("caidi", "CAIDI, min", "IEEE 1366-2022: minutes per sustained interruption"),
    ("energy_not_supplied_kwh", "ENS, kWh", "energy that customers without power would have used"),
    ("power_eoh_ecs", "power EOH by ECS, h", "InfraRisk: time integral of 1 - mean share of load served"),
    ("power_eoh_pcs", "power EOH by PCS, h", "InfraRisk: time integral of 1 - load served over load"),
    ("water_service_availability", "WSA", "Ostfeld et al. (2002): volume delivered over volume asked"),
    ("water_todini_min", "least Todini index", "Todini, Urban Water 2 (2000), eq. 6"),
    ("water_person_hours_lost", "person hours without water, h", "persons times hours below the service pressure"),
    ("person_hours_lost", "person hours without a service, h", "persons times hours without power, plus without water"),
    ("water_eoh_ecs", "water EOH by ECS, h", "InfraRisk: time integral of 1 - mean share of demand met"),
    ("water_eoh_pcs", "water EOH by PCS, h", "InfraRisk: time integral of 1 - demand met over demand"),
    ("hospital_backup_h", "hospitals on backup, h", "hours that hospitals ran without the grid, in total"),
    ("hospital_dark_h", "hospitals without power, h", "hours that neither grid nor backup served them, in total"),
    ("outage_gini", "Gini of outages", "Gini (1912): outage hours per customer, by zone"),
    ("outage_worst_decile_h", "worst decile, h", "mean outage hours of the worst-off tenth of customers"),
    ("water_gini", "Gini of water outages", "Gini (1912): hours without water per person, by zone"),
    ("water_worst_decile_h", "worst decile without water, h", "mean hours of the worst-off tenth of persons"),
)


def report(kpis: Mapping[str, float]) -> list[tuple[str, float, str]]:
    """Return title, value and definition of every figure of service that a run has, in one order."""
    return [(title, kpis[name], meaning) for name, title, meaning in REPORT if name in kpis]


class Service(Model):
    """Watches power, water and hospitals, and adds up what people went without."""

    name = "service"
    owns = (
        Field("service.lost", "float64", "us", "outage time of each curve so far", width=(len(_CURVES),)),
        Field("service.rate", "float64", "1", "one less each curve, now", width=(len(_CURVES),)),
        Field("service.hospitals", "float64", "us", "hospital time on backup, and without power", width=(2,)),
        Field("service.counts", "float64", "1", "hospitals on backup, and without power, now", width=(2,)),
        Field("junction.dry_time", "float64", "us", "time below the service pressure"),
        Field("junction.dry_now", "bool", "1", "was below it when this was last added up"),
        Field("service.since", "int64", "us", "until when this has been added up"),
    )
    reads = (
        *("bus.energised", "bus.load", "bus.dark_time", "bus.dark_since"),
        *("junction.demand", "junction.delivered", "junction.low", "hospital.powered"),
        *("water.dry", "water.since", "water_rate.dry"),
    )
    requires = ("bus.energised", "buses")
    kpi_list = (
        Kpi("power_eoh_ecs", "h", "lower", f"{_EOH}the mean share of load served (ECS)", 0.05),
        Kpi("power_eoh_pcs", "h", "lower", f"{_EOH}load served over load (PCS)", 0.05),
        Kpi("water_eoh_ecs", "h", "lower", f"{_EOH}the mean share of demand met (ECS)", 0.05),
        Kpi("water_eoh_pcs", "h", "lower", f"{_EOH}demand met over demand (PCS)", 0.05),
        Kpi("person_hours_lost", "h", "lower", "persons times hours without power, plus those without water", 1000.0),
        Kpi("hospital_backup_h", "h", "lower", "hours that hospitals ran without the grid", 0.5),
        Kpi("hospital_dark_h", "h", "lower", "hours that hospitals had no power at all", 0.1),
        Kpi("outage_gini", "1", "lower", "Gini of outage hours per customer, by zone", 0.02),
        Kpi("outage_worst_decile_h", "h", "lower", "mean outage of the worst-off tenth of customers", 0.25),
        Kpi("water_gini", "1", "lower", "Gini of hours without water per person, by zone", 0.02),
        Kpi("water_worst_decile_h", "h", "lower", "mean hours without water of the worst-off tenth of persons", 0.25),
    )
    series = (
        Kpi("power_pcs", "1", "higher", "load served over load", 0.01),
        Kpi("water_pcs", "1", "higher", "demand for water met over demand", 0.01),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find whose bus is whose."""
        city = setup.city
        buses = city["buses"]
        self.customers = np.asarray(buses["customers"], dtype=np.float64)
        self.zone = np.asarray(buses["zone"], dtype=np.int64)
        self.household = household_of(city)
        self.hospital_bus = supplier_of(city, "buses", "hospitals", "bus")
        counted = "junctions" in city and "population" in city["junctions"]
        self.persons = np.asarray(city["junctions"]["population"], np.float64) if counted else np.zeros(0)
        zoned = counted and "zone" in city["junctions"]
        self.water_zone = np.asarray(city["junctions"]["zone"], np.int64) if zoned else np.zeros(len(self.persons), int)
        return {"service": 1, "junction": city.rows("junctions")}

    def step(self, view: View) -> None:
        """Add up until now, and note how it stands from here on."""
        lost, hospitals = self._sums(view)
        if "junction.low" in view:
            view.put("junction.dry_time", slice(None), self._dry_times(view))
            view.put("junction.dry_now", slice(None), view["junction.low"])
        view.put("service.lost", 0, lost)
        view.put("service.hospitals", 0, hospitals)
        view.put("service.since", 0, view.now)
        view.put("service.rate", 0, self._rates(view))
        view.put("service.counts", 0, self._hospitals(view))

    def _sums(self, view: View) -> tuple[Array, Array]:
        elapsed = view.now - int(view["service.since"][0])
        lost = view["service.lost"][0] + view["service.rate"][0] * elapsed
        return lost, view["service.hospitals"][0] + view["service.counts"][0] * elapsed

    def _dry_times(self, view: View) -> Array:
        """Return how long each junction has been below the service pressure so far, us."""
        elapsed = view.now - int(view["service.since"][0])
        return np.asarray(view["junction.dry_time"] + view["junction.dry_now"] * elapsed)

    def _rates(self, view: View) -> Array:
        fed, load = view["bus.energised"], view.total("bus.load")
        wanted = np.where(self.customers > 0, load, 0.0)
        curves = [rule(np.where(fed, wanted, 0.0), wanted) for rule in (equitable_service, prioritised_service)]
        if "junction.delivered" in view:
            asked, given = view["junction.demand"], view["junction.delivered"]
            curves += [equitable_service(given, asked), prioritised_service(given, asked)]
        return 1.0 - np.array(curves + [1.0] * (len(_CURVES) - len(curves)))

    def _hospitals(self, view: View) -> Array:
        known = self.hospital_bus >= 0
        off_grid = known & ~view["bus.energised"][np.maximum(self.hospital_bus, 0)]
        powered = view["hospital.powered"] if "hospital.powered" in view else np.ones(known.shape[0], dtype=bool)
        return np.array([(off_grid & powered).sum(), (known & ~powered).sum()], dtype=np.float64)

    def kpis(self, view: View) -> dict[str, float]:
        """Return the figures so far; those of water only where the run has water."""
        lost, hospitals = self._sums(view)
        found = {name.replace("_", "_eoh_"): float(value) / HOUR for name, value in zip(_CURVES, lost, strict=True)}
        if "junction.delivered" not in view:
            found = {name: value for name, value in found.items() if not name.startswith("water")}
        found |= {f"{name}_h": float(value) / HOUR for name, value in zip(_HOSPITALS, hospitals, strict=True)}
        since = view["bus.dark_since"]
        hours = (view["bus.dark_time"] + np.where(since >= 0, view.now - since, 0)) / HOUR
        found["person_hours_lost"] = float((hours * self.customers).sum()) * self.household + self._dry(view)
        found["outage_gini"] = gini(*by_group(hours, self.customers, self.zone))
        found["outage_worst_decile_h"] = worst_part(hours, self.customers)
        if "junction.low" in view and self.persons.shape[0]:
            dry = self._dry_times(view) / HOUR
            found["water_gini"] = gini(*by_group(dry, self.persons, self.water_zone))
            found["water_worst_decile_h"] = worst_part(dry, self.persons)
        return found

    def _dry(self, view: View) -> float:
        """Return persons times hours below the service pressure so far, 0 in a run without water."""
        if "water.dry" not in view:
            return 0.0
        elapsed = (view.now - int(view["water.since"][0])) / HOUR
        return float(view["water.dry"][0] + view["water_rate.dry"][0] * elapsed)

    def measure(self, view: View) -> dict[str, float]:
        """Return the curves now."""
        rate = view["service.rate"][0]
        found = {"power_pcs": 1.0 - float(rate[1])}
        return found | ({"water_pcs": 1.0 - float(rate[3])} if "junction.delivered" in view else {})

    def check(self, view: View) -> list[str]:
        """Return shares outside 0 to 1."""
        rate = view["service.rate"][0]
        return ["a share of service lies outside 0 to 1"] if ((rate < -1e-9) | (rate > 1 + 1e-9)).any() else []

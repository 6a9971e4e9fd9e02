# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first look inside a twin
#
# The demo's scenario, opened by hand: run it for two hours, take the flood out of its future, compare the two
# evenings, and ask why an ambulance came late. Needs the extra `notebook`: `source .venv/bin/activate`, then
# `pip install -e '.[notebook]'`. Streets are empty when a run starts and take 10 to 15 minutes to fill.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import twin
from twin import plot

# %% [markdown]
# ## Scenario and city
# A scenario is a YAML file or an embedded name. `check()` lists every problem at once; warnings tell which options
# take their defaults.

# %%
scenario = twin.load("nusantara")
scenario

# %%
city = scenario.cases()[0].city()
city

# %%
city.frame("hospitals")

# %% [markdown]
# The city is generated. Each of its values carries a source, and an assumption says that it is one.

# %%
pd.DataFrame(city.provenance).sample(5, random_state=1)

# %%
figure, ax = plt.subplots(figsize=(8, 8), layout="constrained")
_ = plot.city_map(city, ax=ax)

# %% [markdown]
# ## Run
# `world(arm)` sets one run up. `run(until)` handles everything strictly before `until` and returns the same world.

# %%
world = scenario.world("A").run("40 min")
world

# %% [markdown]
# ## Branch
# A branch is a copy of the arrays. It shares its past with the world it came from, and its random numbers too: the
# same calls come at the same instants, the same lines break. So a difference is an effect. `without` takes events of
# the scenario, by number, out of the copy's future. At 40 minutes the storm has broken lines; the flood is to come.

# %%
for number, event in enumerate(world.assembly.events):
    print(number, event.kind, f"after {event.time / 60e6:g} min, {len(event.targets)} rows")

# %%
flood = next(number for number, event in enumerate(world.assembly.events) if event.kind == "flood")
dry = world.branch(without=(flood,)).run("2 h")
wet = world.run("2 h")
dry, wet

# %% [markdown]
# ## Compare
# Series are columns over local time; a table of the state is a frame with one row per link, bus, unit ...

# %%
names = ["customers_without_power", "slow_links", "vehicles_on_road"]
figure, axes = plt.subplots(len(names), 1, figsize=(8, 6), sharex=True, layout="constrained")
for ax, name in zip(axes, names, strict=True):
    for label, branch in {"with the flood": wet, "without": dry}.items():
        branch.series_frame()[name].plot(ax=ax, label=label)
    ax.set(ylabel=name.replace("_", "\n"), xlabel="local time")
_ = axes[0].legend()

# %%
figures = pd.DataFrame({"with the flood": wet.kpis(), "without": dry.kpis()})
figures.assign(difference=figures["with the flood"] - figures["without"]).round(2)

# %%
links = wet.frame("link")
links.loc[links["depth"] > 0, ["id", "name", "depth", "open", "time"]].nlargest(5, "depth")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(14, 7), layout="constrained")
plot.link_map(city, links["depth"], plot.DEPTH, ax=left)
_ = plot.power_map(city, wet.frame("bus")["energised"].to_numpy(), ax=right)

# %% [markdown]
# ## Why
# Every event names the events behind it. `why` walks back to the roots; given a kind of event, it takes the one with
# the richest story.

# %%
print(wet.why("call_late"))

# %% [markdown]
# ## Other rules
# Arm B of the scenario decides otherwise: another dispatch rule, signals that see traffic, hospitals mended first.
# Same seed, same weather, same calls.

# %%
other = scenario.world("B").run("2 h")
rules = pd.DataFrame({"A": wet.kpis(), "B": other.kpis()})
rules.loc[["response_mean", "late_share", "vehicle_hours", "customer_minutes_lost"]].round(2)

# %% [markdown]
# One pair of runs is an anecdote. `twin run nusantara` makes ten pairs and says, figure by figure, whether B is better,
# worse or the same, or that the runs cannot tell. `twin.results.Results` reads what it leaves; see the manual's page
# for researchers.

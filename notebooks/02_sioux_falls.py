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
# # Traffic by itself: Sioux Falls
#
# The traffic engine without the rest of the twin: streets and trips as data frames, every vehicle simulated, results
# as data frames. Sioux Falls is the test network of LeBlanc, Morlok and Pierskalla (1975), here from the folder
# `tntp/SiouxFalls` of the data that `TWIN_DATA` names: copy the folder SiouxFalls of
# <https://github.com/bstabler/TransportationNetworks> there. It is no map of the real city: coordinates and lengths are
# schematic.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from twin.city.tntp import build_tntp
from twin.data import path
from twin.models.traffic import Rules, floating_cars, loops, simulate, travel_times

# %% [markdown]
# ## From data frames to results
# Lengths are read as miles and free-flow times as minutes; the table's trips and capacities stand for ten hours. An
# hour's worth of trips departs within three hours, for on shortest ways alone the narrow links take no more. Nodes have
# their numbers in the literature, 1 to 24, one more than their rows in the city.

# %%
net = path("tntp", "SiouxFalls/SiouxFalls_net.tntp")
city = build_tntp(net, hours=10, crs=4326)
links = city.frame("links").rename(columns={"from_node": "from", "to_node": "to"})
table = city.frame("trips").rename(columns={"origin": "from", "destination": "to"})
trips = table.loc[table.index.repeat((table["trips"] / 10).round().astype(int))].reset_index(drop=True)
trips["depart"] = np.random.default_rng(1).uniform(0, 3 * 3600, len(trips))
nodes = city.frame("nodes")
for frame in (links, trips):
    frame[["from", "to"]] += 1
nodes.index += 1
result = simulate(links, trips, rules=Rules(nodes=nodes))
result.trips["outcome"].value_counts()

# %% [markdown]
# `trips` says when each vehicle arrived, `links` what each link carried, `events` is the log of every traversal.

# %%
result.links[["from", "to", "vehicles", "free_time", "mean_time", "delay"]].nlargest(5, "delay").round(0)

# %% [markdown]
# ## News for some of the drivers
# All drivers took the way that is shortest on empty streets. Now a share hears of present travel times every five
# minutes, at every node.

# %%
runs = {share: simulate(links, trips, rules=Rules(nodes=nodes, informed_share=share)) for share in (0.0, 0.3, 0.6)}
pd.DataFrame({share: run.trips["time"].describe()[1:] / 60 for share, run in runs.items()}).round(1)

# %% [markdown]
# ## Pictures
# Every picture takes `ax`, and a stretch of the run where that makes sense (here the second hour).

# %%
informed = runs[0.3]
figure, (left, right) = plt.subplots(1, 2, figsize=(14, 8), layout="constrained")
informed.plot.links("speed", 3600, 7200, ax=left)
_ = informed.plot.links("delay", 3600, 7200, ax=right)

# %% [markdown]
# A corridor from node 1 to node 24, link by link: slow ways are dark.

# %%
ends = links.reset_index().set_index(["from", "to"])["index"]
corridor = [ends[a, b] for a, b in ((1, 3), (3, 12), (12, 13), (13, 24))]
_ = informed.plot.space_time(corridor)

# %%
_ = informed.plot.fundamental(every=300)

# %% [markdown]
# ## What sensors would have seen

# %%
loops(informed, corridor[:2], every=900).head(8).round(2)

# %%
travel_times(informed, corridor[0], corridor[-1])["time"].describe().round(0)

# %%
floating_cars(informed, share=0.001, every=60).head()

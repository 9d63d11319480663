"""Workers on other machines, by way of Dask.

```
coordinator                                    a machine
  Workers                                        a Dask worker
    RemoteTransport                                actor.MachineActor, an actor with async methods
      |  queues between threads                      |  a socket pair
    link.Link: a thread with an asyncio loop  <--->  agent: a process with a LocalTransport
    and the Dask client                              |  as on the coordinator's own machine
                                                   worker processes
```

The messages of a machine's workers travel in frames (`frames`), which also carry the board's counts.
Nothing here is imported unless a run has other machines: importing distributed takes most of a second.
"""

// Each test has a cluster of its own: two at a time keep both processors busy without starving anybody.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]

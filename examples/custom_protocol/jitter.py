"""A protocol of one's own: how much reconstructions tremble from step to step, beside the clips themselves."""

from pydantic import Field

from seqdis.core.metric import Estimate, Metrics
from seqdis.eval.engine.batches import chosen_clips, reconstructions
from seqdis.eval.protocols.options import BatchOption, SeedsOption
from seqdis.eval.protocols.protocol import Protocol


class Jitter(Protocol):
    """Mean squared change from step to step of reconstructions, over that of the clips; 1 where they move alike."""

    name = "jitter"

    class Options(BatchOption, SeedsOption):
        """``--clips``, with what every measurement has."""

        clips: int = Field(64, ge=2, description="test clips at most")

    def measure(self, context):
        """The figures of all runs and seeds."""
        options = context.options

        def measure(number, seed, progress):
            run = context.runs[number]
            rows = chosen_clips(len(run.test_set), options.clips, seed=seed)
            changes = {"made": 0.0, "real": 0.0}
            for one in reconstructions(
                run.model, run.test_set, rows, seed=seed, batch_size=options.batch_size, progress=progress
            ):
                for name, x in (("made", one.frames), ("real", one.source.x)):
                    changes[name] += float(x.double().diff(dim=1).square().sum())
            ratio = Estimate(value=changes["made"] / changes["real"], chance=0.0, n=len(rows))
            return Metrics.of({"jitter": ratio}, role="reconstruction")

        return context.repeat(measure, what="watching")

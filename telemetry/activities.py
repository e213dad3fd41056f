"""Counts and times the activities of a worker."""

import time
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.orders import OrderReport
from domain.watch import WatchResult
from telemetry.metrics import Metrics


class MetricsInterceptor(Interceptor):
    """Gives every activity's time and outcome to the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Put the measurement around an activity; the SDK gives the name of the parameter."""
        return _Measured(next, self._metrics)


class _Measured(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, metrics: Metrics) -> None:
        super().__init__(following)
        self._metrics = metrics

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        began, outcome = time.perf_counter(), "failed"
        try:
            result = await super().execute_activity(input)
            outcome = "completed"
            self._count(input, result)
            return result
        finally:
            name = activity.info().activity_type
            if name != "watch_market":  # it waits for the market: its length says nothing
                self._metrics.activities.labels(name, outcome).observe(time.perf_counter() - began)

    def _count(self, request: ExecuteActivityInput, result: Any) -> None:
        if isinstance(result, WatchResult):
            self._metrics.watch_results.labels(result.outcome).inc()
        elif isinstance(result, OrderReport):
            self._metrics.orders.labels(request.args[0].order.intent.side, result.status).inc()

"""Due work per device, as rows: added, claimed in batches under a lease, completed or failed.

A claim carries a token that rises with every claim of the task. Whoever lost the lease (slow, dead, cut off) finds its
token refused and must drop its result. A task whose lease ran out is due again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meterway.base.errors import StoreError
from meterway.store.driver import Row, Value
from meterway.store.session import Session

__all__ = ["NewTask", "Priority", "Task", "Tasks", "backoff_ms"]


class Priority(IntEnum):
    """What goes first: somebody waits, the daily business, and what can wait."""

    URGENT = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """Work to be added. While a task of the same ``name`` exists (done ones too), adding it again does nothing."""

    device: int
    kind: str
    due_ms: int
    priority: Priority = Priority.NORMAL
    payload: bytes = b""
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands; ``attempts`` counts the claims. States: due, leased, done, failed."""

    id: int
    device: int
    kind: str
    due_ms: int
    priority: Priority
    payload: bytes
    name: str | None
    state: str
    owner: str
    token: int
    attempts: int
    lease_until_ms: int | None
    error: str


_COLUMNS: Final = (
    "id, device, kind, due_ms, priority, payload, name, state, owner, token, attempts, lease_until_ms, error"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM device_task"  # noqa: S608
_INSERT: Final = (
    "INSERT INTO device_task (device, kind, due_ms, priority, payload, name, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (name) DO NOTHING"
)
_CLAIM: Final = (
    "WITH picked AS MATERIALIZED (SELECT id FROM device_task"  # noqa: S608
    "  WHERE state = 'due' AND priority = :priority AND due_ms <= :now ORDER BY due_ms, id LIMIT :many"
    "  FOR UPDATE SKIP LOCKED)"
    " UPDATE device_task SET state = 'leased', lease_until_ms = :until, owner = :owner, token = token + 1,"
    "  attempts = attempts + 1, changed_ms = :now WHERE id IN (SELECT id FROM picked)"
    f" RETURNING {_COLUMNS}"
)
_EXPIRE: Final = (
    "WITH late AS MATERIALIZED (SELECT id FROM device_task"
    "  WHERE state = 'leased' AND lease_until_ms < :now FOR UPDATE SKIP LOCKED)"
    " UPDATE device_task SET state = 'due', lease_until_ms = NULL, owner = '', error = 'the lease ran out',"
    "  changed_ms = :now WHERE id IN (SELECT id FROM late)"
)
_HELD: Final = " WHERE device_task.id = given.id AND device_task.token = given.token AND device_task.state = 'leased'"
_FAIL: Final = (
    "UPDATE device_task SET state = :state, due_ms = :due, lease_until_ms = NULL, owner = '', error = :error,"
    " changed_ms = :now WHERE id = :id AND token = :token AND state = 'leased'"
)
_CHUNK: Final = 500


class Tasks:
    """The work of all devices."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add_many(self, tasks: Iterable[NewTask], *, now_ms: int) -> int:
        """Add all whose name is not there yet, in one transaction; how many."""
        rows: list[Row] = [
            (task.device, task.kind, task.due_ms, int(task.priority), task.payload, task.name, now_ms) for task in tasks
        ]
        return self._session.write_many(_INSERT, rows) if rows else 0

    def claim(self, owner: str, *, many: int, lease_ms: int, now_ms: int) -> list[Task]:
        """Take up to ``many`` due tasks: by priority, then by when they were due. No two claims get the same task."""
        return self._session.retried(lambda: self._claim(owner, many, now_ms + lease_ms, now_ms))

    def _claim(self, owner: str, many: int, until_ms: int, now_ms: int) -> list[Task]:
        self._session.change(_EXPIRE, {"now": now_ms})
        claimed: list[Task] = []
        for priority in Priority:
            params: dict[str, Value] = {"owner": owner, "until": until_ms, "now": now_ms, "priority": int(priority)}
            params["many"] = many - len(claimed)
            if len(claimed) < many:
                rows = self._session.write(_CLAIM, params)
                claimed += sorted((_task(row) for row in rows), key=lambda task: (task.due_ms, task.id))
        return claimed

    def complete(self, tasks: Sequence[Task], *, now_ms: int) -> set[int]:
        """Mark as done; the ids of those whose claim still held. What another claimant took over is left alone."""
        return self._held(
            tasks, f"state = 'done', lease_until_ms = NULL, owner = '', error = '', changed_ms = {now_ms:d}"
        )

    def extend(self, tasks: Sequence[Task], *, until_ms: int) -> set[int]:
        """Lengthen the lease; the ids of those whose claim still held."""
        return self._held(tasks, f"lease_until_ms = {until_ms:d}")

    def release(self, tasks: Sequence[Task], *, now_ms: int) -> set[int]:
        """Give back what was claimed and not begun: due again as before; the ids of those whose claim still held."""
        return self._held(
            tasks,
            f"state = 'due', lease_until_ms = NULL, owner = '', attempts = attempts - 1, changed_ms = {now_ms:d}",
        )

    def _held(self, tasks: Sequence[Task], assigned: str) -> set[int]:
        kept: set[int] = set()
        with self._session.transaction():
            for start in range(0, len(tasks), _CHUNK):
                given = ", ".join(f"({task.id:d}, {task.token:d})" for task in tasks[start : start + _CHUNK])
                rows = self._session.write(
                    f"WITH given(id, token) AS (VALUES {given}) UPDATE device_task SET {assigned}"  # noqa: S608  integers
                    f" FROM given{_HELD} RETURNING device_task.id"
                )
                kept.update(row[0] for row in rows)
        return kept

    def fail(self, task: Task, error: str, *, now_ms: int, retry_ms: int | None) -> bool:
        """Make the task due again at ``retry_ms``, or give it up (None). False if the claim no longer held."""
        params: dict[str, Value] = {
            "id": task.id,
            "token": task.token,
            "state": "failed" if retry_ms is None else "due",
            "due": task.due_ms if retry_ms is None else retry_ms,
            "error": error,
            "now": now_ms,
        }
        return self._session.change(_FAIL, params) == 1

    def get(self, task: int) -> Task:
        """The task of an id; StoreError if there is none."""
        rows = self._session.read(f"{_SELECT} WHERE id = :id", {"id": task})
        if not rows:
            raise StoreError(f"there is no task {task}")
        return _task(rows[0])

    def of_device(self, device: int, *, limit: int = 50) -> list[Task]:
        """The last tasks of a device, the newest first."""
        sql = f"{_SELECT} WHERE device = :device ORDER BY id DESC LIMIT :limit"
        return [_task(row) for row in self._session.read(sql, {"device": device, "limit": limit})]

    def counts(self) -> dict[str, int]:
        """How many tasks are in each state."""
        return dict(self._session.read("SELECT state, count(*) FROM device_task GROUP BY state ORDER BY state"))

    def cancel(self, task: int, *, now_ms: int) -> bool:
        """Give up a task that is due; False if it is already claimed or over."""
        sql = (
            "UPDATE device_task SET state = 'failed', error = 'cancelled', changed_ms = :now"
            " WHERE id = :id AND state = 'due'"
        )
        return self._session.change(sql, {"id": task, "now": now_ms}) == 1

    def prune(self, *, before_ms: int) -> int:
        """Delete tasks that were done or given up before a time; how many."""
        sql = "DELETE FROM device_task WHERE state IN ('done', 'failed') AND changed_ms < :before"
        return self._session.change(sql, {"before": before_ms})


def backoff_ms(attempts: int, *, first_ms: int, longest_ms: int, jitter: float) -> int:
    """How long to wait after so many attempts: doubling from ``first_ms``, at most ``longest_ms``.

    ``jitter`` from 0 to 1 takes away up to half, so that devices that failed together do not come back together.
    """
    doubled = first_ms << min(max(attempts - 1, 0), 30)
    return int(min(doubled, longest_ms) * (1 - jitter / 2))


def _task(row: Row) -> Task:
    number, device, kind, due, priority, payload, name, state, owner, token, attempts, lease, error = row
    return Task(
        id=number,
        device=device,
        kind=kind,
        due_ms=due,
        priority=Priority(priority),
        payload=payload,
        name=name,
        state=state,
        owner=owner,
        token=token,
        attempts=attempts,
        lease_until_ms=lease,
        error=error,
    )

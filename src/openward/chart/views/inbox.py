"""The inbox: results, messages and tasks in one list, worked with the keyboard."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from openward.access.permissions import Permission
from openward.chart import actions, inbox, labs
from openward.chart.actions.inbox import reopen
from openward.chart.codes import ANSWER_MESSAGE, OPEN_TASK, REVIEW_RESULT, TASK
from openward.chart.forms.entry import MatchForm, MessageForm, ReplyForm, ReviewForm
from openward.chart.presenters.wording import code_in
from openward.chart.queries import banner, thread
from openward.chart.queries.inbox import Inbox, read_inbox
from openward.chart.queries.results import overdue_orders, under_review
from openward.fhir.errors import FhirError, NotFound
from openward.fhir.resources import Patient, Practitioner, Task
from openward.web import errors
from openward.web.banner import Banner
from openward.web.pages import PageRequest, go, page, render, render_panel, with_refresh, with_toast

FILTERS = ("all", "today", "results", "messages", "tasks", "everyone")


@page("chart:inbox", needs=Permission.SEE_INBOX)
def show(request: PageRequest) -> HttpResponse:
    return render(request, "chart/inbox.html", _inbox(request))


@page("chart:inbox-list", needs=Permission.SEE_INBOX)
def listed(request: PageRequest) -> HttpResponse:
    """The list alone: what a live event reloads."""
    return render(request, "chart/parts/inbox_list.html", _inbox(request))


def _inbox(request: PageRequest) -> dict[str, Any]:
    chosen = request.GET.get("show", "all")
    chosen = chosen if chosen in FILTERS else "all"
    found = read_inbox(request.store, request.actor)
    return {
        "inbox": found,
        "items": found.of(chosen),
        "chosen": chosen,
        "tabs": _tabs(found, chosen),
        "topics": topics(request),
        "overdue": len(overdue_orders(request.store, request.actor.reference_id)),
        "may_review": request.actor.may(Permission.REVIEW_RESULTS),
        "may_answer": request.actor.may(Permission.ANSWER_MESSAGES),
    }


def topics(request: PageRequest) -> list[str]:
    """The live topics of this person's inbox: their own items, and everyone's."""
    return [inbox.topic(None)] + ([inbox.topic(request.actor.reference_id)] if request.actor.reference_id else [])


def _tabs(found: Inbox, chosen: str) -> list[tuple[str, str, bool, int]]:
    words = {
        "all": _("All"), "today": _("Results today"), "results": _("Results"), "messages": _("Messages"), "tasks": _("Tasks"), "everyone": _("Not assigned"),
    }  # fmt: skip
    address = reverse("chart:inbox")
    return [(words[name], f"{address}?show={name}", name == chosen, found.counts[name]) for name in FILTERS]


@page("chart:task-done", needs=Permission.SEE_INBOX, methods=("POST",))
def done(request: PageRequest, task: str) -> HttpResponseBase:
    """The item is done; the toast takes it back. Only who may answer or review says so of a message or a result."""
    _permit(request, task)
    actions.complete(task=task, by=request.actor)
    return _changed(request, _("Done."), undo=reverse("chart:task-reopen", kwargs={"task": task}))


def _permit(request: PageRequest, task: str) -> None:
    needed = {REVIEW_RESULT: Permission.REVIEW_RESULTS, ANSWER_MESSAGE: Permission.ANSWER_MESSAGES}
    permission = needed.get(code_in(request.store.read(Task, task).code, TASK))
    if permission is not None and not request.actor.may(permission):
        raise NotFound(type="Task", id=task)


@page("chart:task-reopen", needs=Permission.SEE_INBOX, methods=("POST",))
def again(request: PageRequest, task: str) -> HttpResponseBase:
    _permit(request, task)
    reopen(task=task, by=request.actor)
    return _changed(request, _("Open again."))


@page("chart:task-take", needs=Permission.ANSWER_MESSAGES, methods=("POST",))
def take(request: PageRequest, task: str) -> HttpResponseBase:
    actions.take_over(task=task, by=request.actor)
    return _changed(request, _("Now yours."))


def _changed(request: PageRequest, message: str, undo: str | None = None) -> HttpResponseBase:
    if request.headers.get("HX-Request") != "true":
        return go(request, "chart:inbox", message=message, undo=undo)
    return with_toast(with_refresh(HttpResponse(""), "inbox"), message, undo=undo)


@page("chart:task-assign", needs=Permission.ANSWER_MESSAGES, methods=("GET", "POST"))
def assign(request: PageRequest, task: str) -> HttpResponseBase:
    """Hand the item to someone else."""
    item = request.store.read(Task, task)
    people = _colleagues(request)
    if request.method == "POST" and request.POST.get("to") in people:
        chosen = request.POST["to"]
        actions.assign(task=task, to=chosen, name=people[chosen], by=request.actor)
        return go(request, "chart:inbox", message=_("Handed to {name}.").format(name=people[chosen]))
    more = {"people": people, "task": item, "panel_title": _("Hand to someone else")}
    return render_panel(request, "chart/panels/assign.html", more, page="chart:inbox")


def _colleagues(request: PageRequest) -> dict[str, str]:
    from openward.chart.queries.patients import spoken_name

    found = request.store.search(Practitioner, {"_count": 200}).resources
    named = {str(one.id): spoken_name(one) for one in found if one.active is not False}
    return dict(sorted(named.items(), key=lambda pair: pair[1]))


@page("chart:result", needs=Permission.SEE_INBOX, methods=("GET", "POST"))
def result(request: PageRequest, task: str) -> HttpResponseBase:
    """One result under review: values with range and trend, the clinician's words, release."""
    review = under_review(request.store, task)
    form = ReviewForm(request.POST or None, initial={"comment": review.conclusion})
    may_review = request.actor.may(Permission.REVIEW_RESULTS)
    if request.method == "POST":
        if not may_review:
            raise NotFound(type="Task", id=task)
        if form.is_valid():
            release = request.POST.get("do") == "release"
            try:
                actions.review_result(
                    task=task, comment=form.cleaned_data["comment"], release=release, seen=request.POST.get("seen", ""), by=request.actor
                )
                return _to_next(request, task, _("Released to the patient.") if release else _("Reviewed. Not released."))
            except FhirError as error:
                errors.add_to_form(form, error)
    context = {
        "review": review,
        "form": form,
        "banner": banner(request.store, str(review.patient.id)) if review.patient is not None else None,
        "match": MatchForm() if review.patient is None else None,
        "is_open": review.task.status in OPEN_TASK,
        "may_review": may_review,
        "sources": labs.CONTENT.name,
    }
    return render(request, "chart/result.html", context, status=422 if form.is_bound else 200)


def _to_next(request: PageRequest, task: str, message: str) -> HttpResponse:
    """The next result of the inbox, or the inbox when that was the last."""
    waiting = [item for item in read_inbox(request.store, request.actor).of("results") if item.id != task]
    if waiting and request.POST.get("next"):
        return go(request, "chart:result", message=message, task=waiting[0].id)
    return go(request, "chart:inbox", message=message)


@page("chart:result-match", needs=Permission.REVIEW_RESULTS, methods=("POST",))
def match(request: PageRequest, task: str) -> HttpResponseBase:
    """Say whose result it is."""
    form = MatchForm(request.POST)
    if form.is_valid():
        actions.match_result(task=task, number=form.cleaned_data["number"], by=request.actor)
        return go(request, "chart:result", message=_("Matched to the patient."), task=task)
    return go(request, "chart:result", message=_("Enter the patient's number."), task=task)


@page("chart:thread", needs=Permission.SEE_INBOX, methods=("GET", "POST"))
def conversation(request: PageRequest, thread_id: str) -> HttpResponseBase:
    """A conversation with a patient, and the answer."""
    found = thread(request.store, thread_id)
    form = ReplyForm(request.POST or None)
    may_answer = request.actor.may(Permission.ANSWER_MESSAGES)
    if request.method == "POST":
        if not may_answer:
            raise NotFound(type="Communication", id=thread_id)
        if form.is_valid():
            actions.send_message(patient=str(found.patient), thread=thread_id, text=form.cleaned_data["text"], by=request.actor)
            return go(request, "chart:inbox", message=_("Answer sent."))
    item = request.store.find(Task, inbox.task_id(request.actor.tenant, "answer-message", thread_id))
    context = {
        "thread": found,
        "form": form,
        "task": item,
        "is_open": item is not None and item.status in OPEN_TASK,
        "banner": banner(request.store, str(found.patient)) if found.patient else None,
        "may_answer": may_answer,
        "patient": found.patient,
    }
    return render(request, "chart/thread.html", context, status=422 if form.is_bound else 200)


@page("chart:thread-close", needs=Permission.ANSWER_MESSAGES, methods=("POST",))
def close(request: PageRequest, thread_id: str) -> HttpResponseBase:
    actions.close_thread(thread=thread_id, by=request.actor)
    return go(request, "chart:inbox", message=_("Closed without an answer."))


@page("chart:message-new", needs=Permission.ANSWER_MESSAGES, methods=("GET", "POST"))
def write(request: PageRequest, patient: str) -> HttpResponseBase:
    """Write to a patient first."""
    form = MessageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.send_message(patient=patient, topic=form.cleaned_data["topic"], text=form.cleaned_data["text"], by=request.actor)
        return go(request, "chart:summary", message=_("Message sent."), patient=patient)
    more = {"form": form, "panel_title": _("Write to the patient"), "patient": patient, "panel_patient": Banner(request.store.read(Patient, patient))}
    return render_panel(
        request, "chart/panels/message.html", more, page="chart:summary", page_args={"patient": patient}, status=422 if form.is_bound else 200
    )

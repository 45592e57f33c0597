"""Component tags: what they write, and that what people type cannot break out of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory

from openward.web.charts import Point, Series, Trend, sparkline, trend_chart


def drawn(source: str, **context: object) -> str:
    return Template("{% load openward %}" + source).render(Context(context))


class VisitForm(forms.Form):
    reason = forms.CharField(label="Reason", help_text="In the patient's words")
    weight = forms.DecimalField(label="Weight", required=False)
    urgent = forms.BooleanField(label="Urgent", required=False)
    by = forms.MultipleChoiceField(label="Remind by", required=False, choices=[("sms", "Text")], widget=forms.CheckboxSelectMultiple)


class TestFields:
    def test_a_field_has_a_label_and_its_hint_is_tied_to_it(self):
        html = drawn("{% field form.reason %}", form=VisitForm())
        assert '<label for="id_reason">Reason</label>' in html
        assert 'aria-describedby="id_reason-hint"' in html

    def test_what_may_be_left_out_is_marked(self):
        assert "optional" in drawn('{% field form.weight suffix="kg" %}', form=VisitForm())
        assert "optional" not in drawn("{% field form.reason %}", form=VisitForm())

    def test_an_error_stands_beside_its_field_and_is_announced_with_it(self):
        html = drawn("{% field form.reason %}", form=VisitForm({}))
        assert 'aria-invalid="true"' in html
        assert 'aria-describedby="id_reason-hint id_reason-error"' in html
        assert "This field is required." in html

    def test_checkboxes_of_one_question_are_one_group(self):
        html = drawn("{% field form.by %}", form=VisitForm())
        assert html.startswith("<fieldset")
        assert "<legend>Remind by" in html

    def test_a_single_box_is_labelled_by_its_words(self):
        assert '<label class="check"><input type="checkbox" name="urgent"' in drawn("{% field form.urgent %}", form=VisitForm())

    def test_the_summary_links_each_problem_to_its_field_by_name(self):
        html = drawn("{% error_summary form %}", form=VisitForm({"weight": "heavy"}))
        assert '<a href="#id_reason">Reason: This field is required.</a>' in html
        assert '<a href="#id_weight">Weight: Enter a number.</a>' in html

    def test_there_is_no_summary_without_a_problem(self):
        assert drawn("{% error_summary form %}", form=VisitForm({"reason": "cough"})) == ""
        assert drawn("{% error_summary form %}", form=VisitForm()) == ""

    def test_the_window_title_says_that_something_is_wrong(self):
        assert drawn("{% error_prefix %}", form=VisitForm({})) == "Error: "
        assert drawn("{% error_prefix %}", form=VisitForm()) == ""

    def test_a_combobox_searches_by_post_and_keeps_its_value_apart(self):
        html = drawn('{% combobox form.reason "/find" shown="Cough" %}', form=VisitForm(initial={"reason": "R05"}))
        assert 'hx-post="/find"' in html
        assert 'role="combobox" value="Cough"' in html
        assert '<input type="hidden" name="reason" value="R05"' in html

    def test_a_form_carries_the_csrf_token_and_acts_once(self):
        html = drawn('{% post_form "/save" %}x{% endpost_form %}', request=RequestFactory().get("/"))
        assert "csrfmiddlewaretoken" in html
        assert 'name="_once"' in html
        assert "hx-post" not in html

    def test_a_form_in_a_panel_posts_in_place_and_knows_the_page_beside_it(self):
        html = drawn('{% post_form "/save" %}x{% endpost_form %}', request=RequestFactory().get("/"), panel_close_url="/chart/1/")
        assert 'hx-post="/save" hx-target="#panel"' in html
        assert 'name="_page" value="/chart/1/"' in html


class TestWhatPeopleTypeStaysText:
    EVIL = "<script>alert(1)</script>"

    @pytest.mark.parametrize(
        "tag",
        ["{% badge evil %}", "{% button evil '/x' %}", "{% stat evil evil %}", "{% callout evil %}{{ evil }}{% endcallout %}", "{% card evil %}{{ evil }}{% endcard %}",
         "{% event evil by=evil %}{% endevent %}", "{% message evil %}{{ evil }}{% endmessage %}", "{% observation evil evil label=evil %}", "{% definition evil evil %}",
         "{% empty evil %}{{ evil }}{% endempty %}", "{% toast evil %}", "{% bar_chart bars label=evil %}", "{% donut bars %}", "{% avatar evil %}", "{% progress 1 2 evil evil %}"],
    )  # fmt: skip
    def test_in_every_component(self, tag):
        assert "<script>" not in drawn(tag, evil=self.EVIL, bars=[(self.EVIL, 1)])


class TestMeasuredValues:
    @pytest.mark.parametrize(
        ("code", "tone", "words"),
        [
            ("H", "high", "▲</span> high"),
            ("L", "low", "▼</span> low"),
            ("HH", "critical", "critically high"),
            ("LL", "critical", "critically low"),
            ("A", "high", "abnormal"),
        ],
    )
    def test_abnormal_is_a_letter_a_symbol_a_word_and_a_colour(self, code, tone, words):
        html = drawn('{% observation 8.1 "%" interpretation=code %}', code=code)
        assert f'class="obs {tone}"' in html
        assert f"<b>{code}</b>" in html
        assert words in html

    def test_a_normal_value_carries_no_flag(self):
        assert "obs-flag" not in drawn('{% observation 72 "/min" interpretation="N" low=60 high=100 %}')

    def test_the_reference_range_is_beside_the_value(self):
        assert "60–100" in drawn("{% observation 72 low=60 high=100 %}")
        assert "≤ 5.6" in drawn("{% observation 5 high=5.6 %}")

    def test_a_trend_has_words(self):
        assert "rising" in drawn('{% observation 72 trend="up" %}')


class TestCharts:
    NOW = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)

    def test_the_table_is_behind_every_chart(self):
        html = trend_chart([("2026-01-01", 6.1), ("2026-06-01", 8.1, "H")], label="A1c", unit="%")
        assert "<details" in html
        assert html.count("<tr>") == 3
        assert "01-Jun-2026" in html

    def test_a_reader_who_cannot_see_it_hears_what_it_shows(self):
        assert "2 values, from 6.1 on 01-Jan-2026 to 8.1 on 01-Jun-2026" in trend_chart([("2026-01-01", 6.1), ("2026-06-01", 8.1)], label="A1c")

    def test_one_measurement_and_none_are_shown_too(self):
        assert "<circle" in trend_chart([("2026-01-01", 6.1)], label="A1c")
        assert "No measurements yet." in trend_chart([], label="A1c")

    @pytest.mark.parametrize("values", [[0, 0], [120, 120], [0.1, 0.2], [-5, 5], [1000000, 2000000], [3.5, 3.50001]])
    def test_any_range_of_values_can_be_drawn(self, values):
        html = trend_chart([(self.NOW + dt.timedelta(days=n), value) for n, value in enumerate(values)], label="x")
        assert 2 <= html.count('class="grid"') <= 8
        assert "nan" not in html

    def test_two_series_are_told_apart_by_name(self):
        points = [Point(self.NOW, 120), Point(self.NOW + dt.timedelta(days=1), 130)]
        html = trend_chart(Trend("Blood pressure", "mmHg", [Series("Systolic", points), Series("Diastolic", points)]))
        assert "Systolic</span>" in html
        assert "Diastolic</span>" in html

    def test_a_sparkline_needs_two_values(self):
        assert sparkline([1]) == ""
        assert "<polyline" in sparkline([1, 2, 3])


class TestTables:
    def test_a_header_sorts_and_sorts_back(self):
        request = RequestFactory().get("/claims", {"sort": "date", "cursor": "abc"})
        html = drawn('{% sort_header "Date" "date" %}', request=request)
        assert 'aria-sort="ascending"' in html
        assert 'href="?sort=-date"' in html

    def test_a_table_is_named(self):
        assert '<caption class="sr-only">Claims</caption>' in drawn('{% data_table "Claims" %}<tbody></tbody>{% enddata_table %}')

    def test_a_card_reloads_itself_when_told(self):
        html = drawn('{% card "Vitals" refresh="vitals" live="flow" src="/card" %}x{% endcard %}')
        assert 'hx-get="/card" hx-trigger="refresh-vitals from:body, live-flow from:body"' in html

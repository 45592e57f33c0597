from __future__ import annotations

from decimal import Decimal as D

import pytest

from openward.billing.facts import CPT, HCPCS, OWN_CODES
from openward.billing.fees import UnreadableFees, read_fees
from tests.conftest import outside


class TestReading:
    def test_a_line_is_code_words_and_price(self) -> None:
        [line] = read_fees(b"code,description,price\nG0008,Flu vaccine,$30.00\n")
        assert (line.code, line.system, line.description, line.price) == ("G0008", HCPCS, "Flu vaccine", D("30.00"))

    def test_the_code_says_its_system(self) -> None:
        lines = read_fees(b"code,description,price\nOW-V20,a,1\n99213,b,2\n0503F,c,3\n")
        assert [line.system for line in lines] == [OWN_CODES, CPT, CPT]

    def test_columns_may_stand_in_any_order_and_excel_may_have_written_them(self) -> None:
        data = "\ufeffPrice,Code,Other,Description\r\n12.5,G0103,x,PSA\r\n\r\n".encode()
        assert read_fees(data)[0].price == D("12.50")

    def test_what_is_charged_by_itself_is_read(self) -> None:
        [line] = read_fees(b"code,description,price,charged_for\nOW-L,Lab,1,order:laboratory; order:4548-4\n")
        assert line.charged_for == ("order:laboratory", "order:4548-4")

    def test_codes_of_the_public_list_are_taken(self) -> None:
        import csv
        import io

        rows = list(csv.DictReader(io.StringIO(outside("terminology/hcpcs_level_2.csv").read_text("utf-8-sig"))))
        codes = [row["hcpcs"] for row in rows if len(row["hcpcs"]) == 5]
        data = "code,description,price\n" + "".join(f"{code},x,1\n" for code in sorted(set(codes)))
        assert len(read_fees(data.encode())) == len(set(codes))


class TestRefusing:
    @pytest.mark.parametrize(
        ("row", "words"),
        [
            ("XX1,a,1", "neither a HCPCS nor a CPT code"),
            (",a,1", "the code is missing"),
            ("G0008,,1", "the description is missing"),
            ("G0008,a,", "is not a price"),
            ("G0008,a,-1", "from 0 to"),
            ("G0008,a,1.005", "dollars and cents"),
            ("G0008,a,NaN", "dollars and cents"),
            ("G0008,a,1e99", "dollars and cents"),
            ("G0008", "the description is missing"),
        ],
    )
    def test_a_bad_row_is_named_with_its_reason(self, row: str, words: str) -> None:
        with pytest.raises(UnreadableFees) as refused:
            read_fees(f"code,description,price\nG0103,fine,1\n{row}\n".encode())
        [bad] = refused.value.rows
        assert bad.row == 3
        assert words in bad.reason

    def test_a_code_twice_is_refused(self) -> None:
        with pytest.raises(UnreadableFees, match="twice"):
            read_fees(b"code,description,price\nG0103,a,1\nG0103,b,2\n")

    @pytest.mark.parametrize("data", [b"", b"code;description;price\n", b"\xff\xfe\x00", b"code,description,price\n"])
    def test_what_is_no_fee_schedule_is_refused(self, data: bytes) -> None:
        with pytest.raises(UnreadableFees):
            read_fees(data)

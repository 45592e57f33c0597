"""Given and family names by background: common US census names as plain lists, combined at random.

Every combination is invented; a match with a living person is chance. The shares follow the US population roughly.
"""

from __future__ import annotations

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True, slots=True)
class Background:
    """A pool of names with the OMB race and ethnicity the demo gives to people drawn from it."""

    key: str
    share: float
    race: tuple[str, str] | None
    hispanic: bool
    languages: tuple[tuple[str, str, float], ...]
    male: tuple[str, ...]
    female: tuple[str, ...]
    family: tuple[str, ...]


ENGLISH = ("en", "English", 1.0)

BACKGROUNDS = (
    Background(
        "white",
        0.56,
        ("2106-3", "White"),
        False,
        (ENGLISH,),
        _words(
            "James Robert John Michael David William Richard Thomas Charles Daniel Matthew Mark Steven Andrew Paul Joshua Kenneth Kevin Brian "
            "George Timothy Ronald Jason Edward Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin "
            "Samuel Gregory Frank Alexander Patrick Raymond Jack Dennis Jerry Tyler Aaron Henry Peter Nathan Owen Liam Noah Ethan Wyatt Caleb"
        ),
        _words(
            "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Betty Sandra Margaret Ashley Kimberly Emily "
            "Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Laura Sharon Cynthia Kathleen Amy Angela Shirley Anna Brenda Emma "
            "Nicole Helen Samantha Katherine Christine Rachel Carolyn Janet Olivia Heather Julie Hannah Abigail Grace Chloe Charlotte Nora"
        ),
        _words(
            "Smith Johnson Miller Davis Wilson Anderson Taylor Moore Martin Thompson White Clark Lewis Hall Allen Young King Wright Hill Scott "
            "Green Baker Adams Nelson Carter Mitchell Roberts Phillips Campbell Parker Evans Edwards Collins Stewart Morris Murphy Cook Rogers "
            "Peterson Cooper Reed Bailey Kelly Howard Cox Ward Richardson Wood Watson Brooks Bennett Gray Hughes Price Myers Long Foster "
            "Sullivan Russell Kowalski Schmidt Larson Hansen Olson Weber Novak Petrov Rossi Romano Cohen Friedman OBrien Gallagher"
        ),
    ),
    Background(
        "black",
        0.14,
        ("2054-5", "Black or African American"),
        False,
        (("en", "English", 0.97), ("fr", "French", 0.03)),
        _words(
            "Marcus Terrence Darnell Andre Malik Jamal Isaiah Elijah Curtis Reginald Tyrone Maurice Xavier Kofi Emeka Chidi Solomon Calvin "
            "Leon Clarence Willie Jerome Dwayne Micah Josiah Jalen Amari Desmond Quincy Otis"
        ),
        _words(
            "Latoya Keisha Tamika Ebony Imani Aaliyah Jasmine Monique Denise Yvonne Gloria Ernestine Ada Ngozi Amina Abena Destiny Kiara "
            "Nia Zora Simone Tanisha Yolanda Beverly Loretta Vanessa Camille Naomi Maya Essence"
        ),
        _words(
            "Washington Jefferson Banks Booker Freeman Gaines Hampton Jackson Coleman Robinson Harris Walker Jenkins Perry Powell Simmons "
            "Bryant Alexander Griffin Hayes Okafor Mensah Adeyemi Diallo Okonkwo Dorsey Mosley Battle Singletary Toussaint"
        ),
    ),
    Background(
        "hispanic",
        0.19,
        None,
        True,
        (("en", "English", 0.6), ("es", "Spanish", 0.4)),
        _words(
            "Jose Luis Carlos Juan Jorge Miguel Antonio Francisco Alejandro Manuel Jesus Ricardo Eduardo Fernando Diego Rafael Javier Mateo "
            "Santiago Sebastian Andres Hector Raul Ruben Oscar Gabriel Emilio Arturo Julian Ramon"
        ),
        _words(
            "Maria Guadalupe Rosa Ana Carmen Sofia Isabella Valentina Camila Gabriela Lucia Elena Teresa Juana Leticia Adriana Daniela "
            "Alejandra Veronica Patricia Yolanda Marisol Ximena Mariana Paloma Esperanza Ines Beatriz Natalia Luz"
        ),
        _words(
            "Garcia Rodriguez Martinez Hernandez Lopez Gonzalez Perez Sanchez Ramirez Torres Flores Rivera Gomez Diaz Cruz Reyes Morales "
            "Ortiz Gutierrez Chavez Ramos Ruiz Alvarez Mendoza Vasquez Castillo Jimenez Romero Herrera Medina Aguilar Vargas Delgado Soto"
        ),
    ),
    Background(
        "asian",
        0.08,
        ("2028-9", "Asian"),
        False,
        (("en", "English", 0.75), ("zh", "Chinese", 0.12), ("vi", "Vietnamese", 0.13)),
        _words("Wei Ming Jun Hao Kenji Hiroshi Arjun Rahul Vikram Sanjay Minh Tuan Joon Sung Rohan Anil Kevin Daniel Andrew Ravi"),
        _words("Mei Ling Xiu Yuki Sakura Priya Anjali Divya Kavya Linh Thuy Ji-woo Soo-jin Grace Michelle Jenny Amy Lakshmi Hana Nisha"),
        _words(
            "Nguyen Tran Le Pham Chen Wang Li Zhang Liu Lin Huang Wu Kim Park Lee Choi Patel Shah Singh Kumar Gupta Sharma Tanaka Suzuki "
            "Yamamoto Santos Reyes Cruz Bautista Khan"
        ),
    ),
    Background(
        "native",
        0.03,
        ("1002-5", "American Indian or Alaska Native"),
        False,
        (ENGLISH,),
        _words("Joseph Raymond Wesley Dakota Tyler Elias Leonard Harold Virgil Shane"),
        _words("Winona Cheyenne Leona Irene Dorothy Marlene Sierra Raven Kaya Bernice"),
        _words("Begay Yazzie Benally Tsosie Nez Whitehorse Redbird Locklear Lonebear Swiftwater"),
    ),
)

"""The commonest English words: a phrase of these alone does not identify an evaluation item.

Written by hand: pronouns, articles, prepositions, conjunctions, question words, auxiliaries, and the
commonest verbs, nouns, adjectives and adverbs of conversation, in the forms in which they occur.
"""

from __future__ import annotations

from typing import Final

COMMON_WORDS: Final = frozenset(
    """
    a an the this that these those such same other another each every either neither both all any some no none one
    ones i me my mine myself you your yours yourself he him his himself she her hers herself it its itself we us
    our ours they them their theirs themselves someone somebody anyone anybody everyone everybody something
    anything everything nothing who whom whose which what when where why how whatever whichever and or but nor so
    yet if then else than as because while although though unless until since whether of in on at by for from to
    with without about into onto over under after before between through during against within across up down out
    off away back around along near behind beside like per via is are was were be been being am do does did done
    doing have has had having will would shall should can could may might must s t d ll m re ve don doesn didn isn
    aren wasn weren won wouldn shouldn couldn can hasn haven hadn let lets not never always often sometimes
    usually again also too very more most less least much many few only just even still already now here there
    today tomorrow yesterday soon later first last next well really quite rather maybe perhaps yes yeah ok okay
    please thanks thank hello hi hey sorry go goes going gone went come comes coming came get gets getting got
    make makes making made take takes taking took give gives giving gave say says saying said tell tells telling
    told ask asks asking asked know knows knowing knew think thinks thinking thought want wants wanting wanted
    need needs needing needed see sees seeing saw seen look looks looking looked find finds finding found use uses
    using used work works working worked try tries trying tried feel feels feeling felt mean means meant call
    calls calling called help helps helping helped talk talks talking talked show shows showing showed keep keeps
    kept put puts happen happens happening happened start starts started stop stops stopped live lives living
    lived like likes liked love loves loved believe understand learn explain describe answer question following
    true false right wrong correct good better best bad worse worst new old big small long short high low great
    little own sure able different time times day days year years way ways thing things man men woman women people
    person life world name names part place home house hand eye side end kind sort type reason problem case point
    fact idea number word words two three four five ten
    """.split()  # noqa: SIM905 (four hundred lines otherwise)
)

"""Conversations in French, German, Spanish, Italian, Portuguese, Russian, Chinese and Japanese."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from tulu_data.sample.draw import Draw
from tulu_data.sample.grammar import Filling, Template, templates

SPACED: Final = ("fr", "de", "es", "it", "pt", "ru")
"""Languages that part words by spaces."""

TEXT: Final = """
@ fr/week
> [Peux-tu|Pourrais-tu|Tu peux] [organiser|planifier] ma semaine à {city} ? [J'aime|J'adore] {fr_hobby} et je suis
  libre [dès|à partir de] {4..7} heures.
< [Bien sûr|Avec plaisir|Volontiers]. Voici [une idée|un plan|une proposition] pour {city} :
*5
- {fr_day} : {fr_hobby} {fr_place}, de {5..6} à {7..9} heures, [avec|chez] {name}.
- {fr_day2} : [préparer|cuisiner] {fr_food} pour {3..9} personnes, [sans|et pas de] téléphone.
- {fr_day3} : {fr_hobby2} {fr_place2} ; [apporte|prends] {fr_thing} et {5..40} euros.
- {fr_day4} : [une promenade|un tour] de {3..14} kilomètres, [puis|ensuite] {fr_food2} {fr_place3}.
- {fr_day5} : [lire|relire] {20..90} pages, [noter|écrire] {3..8} phrases [dans|sur] un cahier {fr_place4}.
- {fr_day6} : [rien|du repos] ; {name2} [passe|vient] peut-être avec {fr_thing2}.
> [Et s'il pleut|Et en cas de pluie] {fr_day} ?
< [Alors|Dans ce cas], [échange|inverse] {fr_day} et {fr_day2} : [sous|à l'abri de] la pluie, {fr_food}
  [console|réchauffe] mieux que {fr_hobby}, dit {name}.

@ fr/letter
> [Écris|Rédige] [un mot|une lettre] à {name} pour [la remercier|le remercier] de m'avoir prêté {fr_thing} à {city}.
< [Cher|Bonjour] {name},
&4
- [Grâce à toi|Avec ton aide], la soirée {fr_place} a été [réussie|joyeuse] : {20..80} invités, {fr_food} et
  {fr_thing} au milieu.
- {name2} a [tout de suite|aussitôt] demandé d'où [venait|sortait] ce bel objet, et j'ai parlé de toi
  [pendant|durant] {5..40} minutes.
- [Je te le rends|Tu le retrouveras] {fr_day} [vers|à] {9..11} heures {fr_place2}, avec {fr_thing2} en plus.
- [Si tu veux|Quand tu veux], viens [goûter|manger] {fr_food2} ; nous parlerons de {fr_hobby} et de {city2}.
- [Sans toi|Autrement], il aurait fallu [payer|trouver] {30..190} euros et [courir|attendre] jusqu'à {fr_day2}.
[Amicalement|À bientôt|Je t'embrasse], {name3}

@ fr/explain
> [Pourquoi|Pour quelle raison] [dit-on|dit {name}] que {fr_hobby} [apaise|calme] ? [Je suis|J'habite] à {city} et
  je dors mal.
< [Plusieurs|Quelques] raisons [reviennent|sont données] :
#4
- [Les mains|Les gestes] sont occupées : [au bout de|après] {10..40} minutes, on [oublie|lâche] la journée, comme
  {name2} {fr_place}.
- [Le rythme|La lenteur] : {fr_hobby} [demande|exige] {2..6} respirations par geste, [plus ou moins|environ].
- [On se compare|On parle] moins : {fr_place2}, {5..19} personnes [partagent|mangent] {fr_food} et {fr_thing}.
- [Le résultat|Ce qui reste] se voit : {fr_thing2}, {3..12} par saison, [offert|donné] {fr_day}.
- [Le sommeil|La nuit] [suit|vient] mieux si l'on [range|ferme] tout à {8..10} heures, dit une étude que {name3}
  cite [toujours|souvent].
[Essaie|Commence] {fr_day2}, {20..50} minutes ; après {3..8} semaines, [compare|note] tes nuits. [Sinon|Si rien ne
  change], [vois|demande à] un médecin de {city}.

@ fr/compare
> {fr_hobby} ou {fr_hobby2} [à|pour] {age:18..70} ans, avec {40..300} euros ?
< [Les deux|L'un et l'autre] [conviennent|se défendent] à {age} ans.
*3
- Pour {fr_hobby}, il faut {fr_thing}, {20..150} euros et [une place|un coin] {fr_place}.
- {fr_hobby2} [se pratique|s'apprend] {fr_place2}, le {fr_day}, avec {name} et {4..20} autres.
- [Les débuts|Les premières heures] de {fr_hobby} sont [lents|rudes] : {3..9} semaines avant [de sourire|le premier
  succès].
- {fr_hobby2} [fatigue|use] moins ; {name2}, {71..89} ans, [en fait|s'y met] encore {2..5} fois par mois.
[Mon avis|À mon sens] : [essaie|prends] {fr_hobby2} si {fr_day2} est libre, [sinon|autrement] {fr_hobby}, et fête
  cela avec {fr_food}.

@ fr/shop
> [Combien|Que] faut-il prévoir pour {fr_food} et {fr_food2}, {people:4..30} personnes, {fr_place} de {city} ?
< Pour {people} personnes, [comptez|prévoyez] :
*4
- {2..9} kilos de légumes, [achetés|choisis] {fr_day} {fr_place2}, soit {11..60} euros
- {1..6} litres de bouillon et {200..900} grammes de farine, [bio|ordinaire], chez {name}
- {fr_thing} pour servir, {fr_thing2} pour porter, [prêtés|rendus] par {name2}
- {20..90} minutes de cuisson, [couvert|à feu doux], puis {10..30} de repos
- {5..25} euros de fruits, [pour finir|en dessert], au cas où {fr_food2} ne [suffirait|suffit] pas
[Le tout|Au total] : {60..290} euros. {name3} [peut|sait] aider dès {7..10} heures ; [gardez|notez] les tickets
  jusqu'à {fr_day2}.

@ de/week
> [Kannst du|Könntest du] [mir|für mich] eine Woche in {city} [planen|einteilen]? Ich mag {de_hobby} und habe ab
  {4..7} Uhr Zeit.
< [Gern|Natürlich]. [So|Auf diese Weise] [könnte|kann] es in {city} gehen:
*5
- {de_day}: {de_hobby} {de_place}, {5..6} bis {7..9} Uhr, [zusammen mit|neben] {name}.
- {de_day2}: {de_food} für {3..9} Leute [kochen|zubereiten], [ohne|fern von] Bildschirm.
- {de_day3}: {de_hobby2} {de_place2}; [nötig|gebraucht wird]: {de_thing} und {5..40} Euro.
- {de_day4}: {3..14} Kilometer [gehen|wandern], [danach|später] {de_food2} {de_place3}.
- {de_day5}: {20..90} Seiten lesen, {3..8} Sätze [notieren|behalten], am besten {de_place4}.
- {de_day6}: [frei|nichts]; [vielleicht|wohl] kommt {name2} vorbei und bringt {2..9} Äpfel mit.
> [Und wenn|Was, wenn] {name} am {de_day} [absagt|krank ist]?
< [Dann|In dem Fall] [tausche|wechsle] {de_day} und {de_day2}. {de_food} [schmeckt|gelingt] auch allein, und
  {de_hobby} läuft nicht [weg|davon], sagt {name2}.

@ de/letter
> [Schreib|Verfasse] [bitte|mir] einen Dankesbrief an {name} aus {city}, {count:20..90} Gäste, {de_food}, es war
  {de_place}.
< [Liebe Grüße vorweg|Hallo] {name},
&4
- [ohne dich|ohne deine Hilfe] wäre der {de_day} {de_place} [still|traurig] geblieben: {count} Gäste, {de_food},
  und alle [satt|fröhlich].
- {name2} fragt [seit|schon] {3..12} Tagen, [woher|von wem] das Rezept [stammt|kommt], und ich [verrate|sage] es nicht.
- Hier [liegt|steht] noch {de_thing}; ich [bringe|trage] es am {de_day2} gegen {9..11} Uhr {de_place2} vorbei.
- [Komm|Besuch uns] bald: {de_food2} [wartet|ist versprochen], und von {city2} gibt es [viel|einiges] zu erzählen.
- Du hast uns {30..190} Euro und {2..8} Stunden [gespart|geschenkt]; dafür [lernst|bekommst] du {de_hobby} von {name3}.
[Herzlich|Alles Gute|Dankbar], {name4}

@ de/explain
> [Warum|Weshalb] [beruhigt|entspannt] {de_hobby}? Ich [wohne|lebe] in {city} und schlafe [schlecht|kaum].
< [Einiges|Mehreres] spricht dafür:
#4
- Die Hände haben [Arbeit|zu tun]: nach {10..40} Minuten [ruht|schweigt] der Kopf, [sagt|meint] {name} {de_place}.
- {de_hobby} hat [Takt|Rhythmus]: {2..6} Atemzüge, [ein Griff|eine Bewegung], dann wieder {2..6}.
- [Man spricht|Geredet wird] wenig: {5..19} Menschen {de_place2}, {de_food}, [manchmal|selten] ein Lied.
- [Etwas|Es] bleibt: {de_thing}, {3..12} im Jahr, [verschenkt|gezeigt] am {de_day}.
- [Der Schlaf|Die Nacht] kommt [leichter|eher], wenn um {8..10} Uhr [alles|das Licht] ruht und {name2} [leise|fort] ist.
[Beginne|Fang an] am {de_day2} mit {20..50} Minuten. [Bleibt|Ist] es nach {3..8} Wochen [so|schlimm], [frag|geh zu]
  einer Ärztin in {city}.

@ de/compare
> {de_hobby} oder {de_hobby2}, mit {age:18..70} Jahren und {40..300} Euro?
< Mit {age} [geht|passt] beides.
*3
- Für {de_hobby} [braucht man|genügt] {de_thing}, etwa {20..150} Euro und [Platz|eine Ecke] {de_place}.
- {de_hobby2} [trifft|übt] man {de_place2}, meist am {de_day}, mit {name} und {4..20} anderen.
- [Anfangs|Zuerst] ist {de_hobby} [zäh|mühsam]: {3..9} Wochen bis zum ersten [Erfolg|Lachen].
- {de_hobby2} [schont|fordert] die Knie; {name2}, {71..89}, kommt noch {2..5} Mal im Monat.
[Mein Rat|Ich würde sagen]: {de_hobby2}, [falls|wenn] der {de_day2} frei ist, sonst {de_hobby}; [gefeiert|gegessen]
  wird {de_food}.

@ de/shop
> Was [brauche|kaufe] ich für {de_food} und {de_food2}, {people:4..30} Personen, {de_place} in {city}?
< Für {people} [Personen|Teller]:
*4
- {2..9} Kilo Gemüse, am {de_day} {de_place2} [gekauft|geholt], [etwa|rund] {11..60} Euro
- {1..6} Liter Brühe und {200..900} Gramm Mehl, von {name} [gewogen|geliehen]
- {de_thing} zum [Servieren|Tragen], {de_thing2} zur [Sicherheit|Zierde], beides von {name2}
- {20..90} Minuten [kochen|backen], {10..30} ruhen lassen, [erst|nur] dann salzen
- {5..25} Euro für Obst, [falls|wenn] {de_food2} nicht [reicht|gelingt]
[Zusammen|Alles in allem] {60..290} Euro. {name3} [hilft|kommt] ab {7..10} Uhr; den Rest [klärt|regelt] ihr am
  {de_day2}.

@ es/week
> [¿Puedes|¿Podrías] [organizar|planear] mi semana en {city}? Me gusta {es_hobby} y estoy libre desde las {4..7}.
< [Claro|Con gusto]. [Una idea|Un plan] para {city}:
*5
- {es_day}: {es_hobby} {es_place}, de {5..6} a {7..9}, [con|junto a] {name}.
- {es_day2}: [preparar|cocinar] {es_food} para {3..9} personas, [sin|lejos del] teléfono.
- {es_day3}: {es_hobby2} {es_place2}; [lleva|trae] {es_thing} y {5..40} euros.
- {es_day4}: [caminar|andar] {3..14} kilómetros y [después|luego] {es_food2} {es_place3}.
- {es_day5}: [leer|repasar] {20..90} páginas y [apuntar|guardar] {3..8} frases {es_place4}.
- {es_day6}: [nada|descanso]; [quizá|tal vez] pase {name2} con {es_thing2}.
> ¿Y si {name} no [puede|viene] el {es_day}?
< [Entonces|En ese caso], [cambia|intercambia] {es_day} por {es_day2}: {es_food} [anima|reúne] más que {es_hobby},
  [dice|opina] {name2}.

@ es/letter
> [Escribe|Redacta] una nota para {name}, de {city}, que me [prestó|dejó] {es_thing}.
< [Querida gente|Hola], {name}:
&4
- [gracias a ti|con tu ayuda], la tarde {es_place} fue [alegre|un éxito]: {20..80} invitados, {es_food} y
  {es_thing} en el centro.
- {name2} [preguntó|quiso saber] de dónde [salía|venía] aquello, y hablé de ti [durante|unos] {5..40} minutos.
- Lo [devuelvo|llevo] el {es_day} a las {9..11} {es_place2}, con {es_thing2} [de regalo|además].
- [Ven|Pásate] a probar {es_food2}; hablaremos de {es_hobby} y de {city2}.
- [Sin ti|De otro modo] habría [pagado|gastado] {30..190} euros y esperado [hasta el|al] {es_day2}.
[Un abrazo|Con cariño|Hasta pronto], {name3}

@ es/explain
> [¿Por qué|¿Cómo es que] {es_hobby} [calma|relaja]? Vivo en {city} y duermo [mal|poco].
< [Hay|Se dan] varias razones:
#4
- Las manos [trabajan|están ocupadas]: a los {10..40} minutos la cabeza [descansa|calla], como [cuenta|dice] {name}
  {es_place}.
- [El ritmo|La calma]: {es_hobby} [pide|exige] {2..6} respiraciones por gesto, [más o menos|aproximadamente].
- Se [habla|compara] menos: {es_place2}, {5..19} personas [comparten|comen] {es_food} y {es_thing}.
- [Queda|Se ve] algo: {es_thing2}, {3..12} al año, [regalado|mostrado] el {es_day}.
- [El sueño|La noche] llega [antes|mejor] si a las {8..10} todo está [en orden|a oscuras] y {name2} [se ha ido|calla].
[Prueba|Empieza] el {es_day2} con {20..50} minutos; tras {3..8} semanas, [compara|anota]. [Si no|Si nada cambia],
  [consulta|pide cita] en {city}.

@ es/compare
> ¿{es_hobby} o {es_hobby2}, con {age:18..70} años y {40..300} euros?
< Con {age} años [valen|sirven] las dos cosas.
*3
- Para {es_hobby} [hace falta|basta] {es_thing}, unos {20..150} euros y [sitio|un rincón] {es_place}.
- {es_hobby2} se [practica|aprende] {es_place2}, el {es_day}, con {name} y {4..20} más.
- [Al principio|Los comienzos]: {es_hobby} [cuesta|cansa] {3..9} semanas, [luego|después] engancha.
- {name2}, de {71..89} años, [elige|prefiere] {es_hobby2} {2..5} veces al mes.
[Mi consejo|Yo diría]: {es_hobby2} si el {es_day2} está libre; [si no|en otro caso], {es_hobby}, y para celebrarlo,
  {es_food}.

@ es/shop
> ¿Qué [compro|necesito] para {es_food} y {es_food2}, {people:4..30} personas, {es_place} de {city}?
< Para {people} [personas|platos]:
*4
- {2..9} kilos de verdura, [comprados|elegidos] el {es_day} {es_place2}, unos {11..60} euros
- {1..6} litros de caldo y {200..900} gramos de harina, [pesados|prestados] por {name}
- {es_thing} para [servir|llevar], {es_thing2} por si acaso, [ambos|las dos cosas] de {name2}
- {20..90} minutos [al horno|a fuego lento] y {10..30} de reposo
- {5..25} euros de fruta, [por si|en caso de que] {es_food2} no [alcance|salga]
[En total|Todo junto], {60..290} euros. {name3} [ayuda|llega] desde las {7..10}; [guardad|apuntad] los recibos
  hasta el {es_day2}.

@ it/week
> [Puoi|Potresti] [organizzare|pianificare] la mia settimana a {city}? Mi piace {it_hobby} e sono libero dalle {4..7}.
< [Certo|Volentieri]. [Un'idea|Un piano] per {city}:
*5
- {it_day}: {it_hobby} {it_place}, dalle {5..6} alle {7..9}, [con|insieme a] {name}.
- {it_day2}: [preparare|cucinare] {it_food} per {3..9} persone, [senza|lontano dal] telefono.
- {it_day3}: {it_hobby2} {it_place2}; [porta|prendi] {it_thing} e {5..40} euro.
- {it_day4}: [camminare|passeggiare] per {3..14} chilometri, [poi|dopo] {it_food2} {it_place3}.
- {it_day5}: [leggere|rileggere] {20..90} pagine e [annotare|tenere] {3..8} frasi {it_place4}.
- {it_day6}: [niente|riposo]; [forse|magari] passa {name2} con {it_thing2}.
> E se {name} [non può|è malato] {it_day}?
< [Allora|In quel caso] [scambia|inverti] {it_day} e {it_day2}: {it_food} [consola|unisce] più di altro,
  [dice|pensa] {name2}.

@ it/letter
> [Scrivi|Prepara] un biglietto per {name} di {city}, che mi ha [prestato|dato] {it_thing}.
< [Ciao|Salve] {name},
&4
- [grazie a te|con il tuo aiuto] la serata {it_place} è stata [allegra|riuscita]: {20..80} ospiti, {it_food} e
  {it_thing} in mezzo.
- {name2} ha [chiesto|voluto sapere] da dove [venisse|uscisse], e ho parlato di te [per|circa] {5..40} minuti.
- Te lo [riporto|rendo] {it_day} alle {9..11} {it_place2}, con {it_thing2} [in più|in dono].
- [Vieni|Passa] ad assaggiare {it_food2}; parleremo di {city2} e [forse|certo] anche d'altro.
- [Senza di te|Altrimenti] avrei [speso|pagato] {30..190} euro e aspettato [fino a|anche] {it_day2}.
[Un abbraccio|Con affetto|A presto], {name3}

@ it/explain
> [Perché|Come mai] {it_hobby} [calma|rilassa]? Vivo a {city} e dormo [male|poco].
< [Ci sono|Si danno] varie ragioni:
#4
- Le mani [lavorano|sono occupate]: dopo {10..40} minuti la testa [riposa|tace], come [racconta|dice] {name} {it_place}.
- [Il ritmo|La lentezza]: {it_hobby} [chiede|vuole] {2..6} respiri per gesto, [più o meno|circa].
- Si [parla|discute] meno: {it_place2}, {5..19} persone [dividono|mangiano] {it_food} e {it_thing}.
- [Resta|Rimane] qualcosa: {it_thing2}, {3..12} all'anno, [regalato|mostrato] {it_day}.
- [Il sonno|La notte] arriva [prima|meglio] se alle {8..10} tutto è [in ordine|spento] e {name2} [tace|è via].
[Prova|Comincia] {it_day2} con {20..50} minuti; dopo {3..8} settimane [confronta|annota]. [Se no|Se nulla cambia],
  [chiedi|vai] a un medico di {city}.

@ it/compare
> {it_hobby} o {it_hobby2}, a {age:18..70} anni con {40..300} euro?
< A {age} anni [vanno|servono] bene entrambi.
*3
- Per {it_hobby} [serve|basta] {it_thing}, circa {20..150} euro e [spazio|un angolo] {it_place}.
- {it_hobby2} si [pratica|impara] {it_place2}, {it_day}, con {name} e altri {4..20}.
- [All'inizio|I primi tempi]: {it_hobby} [costa|pesa] {3..9} settimane, [poi|dopo] conquista.
- {name2}, {71..89} anni, [sceglie|preferisce] {it_hobby2} {2..5} volte al mese.
[Il mio consiglio|Direi]: {it_hobby2} se {it_day2} è libero, [altrimenti|se no] {it_hobby}; per festeggiare, {it_food}.

@ it/shop
> Che cosa [compro|serve] per {it_food} e {it_food2}, {people:4..30} persone, {it_place} di {city}?
< Per {people} [persone|piatti]:
*4
- {2..9} chili di verdura, [comprati|scelti] {it_day} {it_place2}, circa {11..60} euro
- {1..6} litri di brodo e {200..900} grammi di farina, [pesati|prestati] da {name}
- {it_thing} per [servire|portare], {it_thing2} di riserva, [tutto|entrambi] da {name2}
- {20..90} minuti [in forno|a fuoco lento] e {10..30} di riposo
- {5..25} euro di frutta, [se|nel caso che] {it_food2} non [basti|riesca]
[In tutto|Insieme] {60..290} euro. {name3} [aiuta|arriva] dalle {7..10}; [tenete|segnate] gli scontrini fino a
  {it_day2}.

@ pt/week
> [Podes|Poderias] [organizar|planear] a minha semana em {city}? Gosto de [aprender|praticar] coisas novas e estou
  livre a partir das {4..7}.
< [Claro|Com gosto]. [Uma ideia|Um plano] para {city}:
*5
- {pt_day}: {pt_hobby} {pt_place}, das {5..6} às {7..9}, [com|junto de] {name}.
- {pt_day2}: [preparar|cozinhar] {pt_food} para {3..9} pessoas, [sem|longe do] telefone.
- {pt_day3}: {pt_hobby2} {pt_place2}; [leva|traz] {pt_thing} e {5..40} euros.
- {pt_day4}: [andar|caminhar] {3..14} quilómetros e [depois|a seguir] {pt_food2} {pt_place3}.
- {pt_day5}: [ler|reler] {20..90} páginas e [anotar|guardar] {3..8} frases {pt_place4}.
- {pt_day6}: [nada|descanso]; [talvez|quem sabe] apareça {name2} com {pt_thing2}.
> E se {name} [não puder|faltar] na {pt_day}?
< [Então|Nesse caso] [troca|muda] {pt_day} por {pt_day2}: {pt_food} [anima|junta] mais gente, [diz|acha] {name2}.

@ pt/letter
> [Escreve|Prepara] um bilhete para {name}, de {city}, que me [emprestou|deu] {pt_thing}.
< [Olá|Viva], {name}!
&4
- [Graças a ti|Com a tua ajuda], a tarde {pt_place} foi [alegre|um sucesso]: {20..80} convidados, {pt_food} e
  {pt_thing} no meio.
- {name2} [perguntou|quis saber] de onde [vinha|saíra] aquilo, e falei de ti [durante|uns] {5..40} minutos.
- [Devolvo-o|Levo-o] {pt_day} às {9..11} {pt_place2}, com {pt_thing2} [de presente|a mais].
- [Vem|Passa por cá] provar {pt_food2}; falaremos de {city2} e de [tudo|muito mais].
- [Sem ti|De outro modo] teria [pago|gasto] {30..190} euros e esperado [até|por] {pt_day2}.
[Um abraço|Com carinho|Até breve], {name3}

@ pt/explain
> [Porque é que|Como é que] {pt_hobby} [acalma|relaxa]? Moro em {city} e durmo [mal|pouco].
< [Há|Existem] várias razões:
#4
- As mãos [trabalham|estão ocupadas]: ao fim de {10..40} minutos a cabeça [descansa|cala-se], [conta|diz] {name}
  {pt_place}.
- [O ritmo|A calma]: {pt_hobby} [pede|exige] {2..6} respirações por gesto, [mais ou menos|cerca disso].
- [Fala-se|Discute-se] menos: {pt_place2}, {5..19} pessoas [partilham|comem] {pt_food} e {pt_thing}.
- [Fica|Vê-se] algo: {pt_thing2}, {3..12} por ano, [oferecido|mostrado] {pt_day}.
- [O sono|A noite] chega [antes|melhor] se às {8..10} tudo está [arrumado|às escuras] e {name2} [saiu|dorme].
[Experimenta|Começa] {pt_day2} com {20..50} minutos; após {3..8} semanas, [compara|anota]. [Se não|Se nada mudar],
  [consulta|procura] um médico em {city}.

@ pt/compare
> {pt_hobby} ou {pt_hobby2}, aos {age:18..70} anos e com {40..300} euros?
< Aos {age} anos [servem|valem] ambas as coisas.
*3
- Para {pt_hobby} [é preciso|basta] {pt_thing}, uns {20..150} euros e [espaço|um canto] {pt_place}.
- {pt_hobby2} [pratica-se|aprende-se] {pt_place2}, {pt_day}, com {name} e mais {4..20}.
- [No início|Os começos]: {pt_hobby} [custa|cansa] {3..9} semanas, [depois|mais tarde] prende.
- {name2}, de {71..89} anos, [escolhe|prefere] {pt_hobby2} {2..5} vezes por mês.
[O meu conselho|Eu diria]: {pt_hobby2} se {pt_day2} estiver livre; [senão|caso contrário], {pt_hobby}, e para
  festejar, {pt_food}.

@ pt/shop
> O que [compro|preciso] para {pt_food} e {pt_food2}, {people:4..30} pessoas, {pt_place} de {city}?
< Para {people} [pessoas|pratos]:
*4
- {2..9} quilos de legumes, [comprados|escolhidos] {pt_day} {pt_place2}, uns {11..60} euros
- {1..6} litros de caldo e {200..900} gramas de farinha, [pesados|emprestados] por {name}
- {pt_thing} para [servir|levar], {pt_thing2} de reserva, [ambos|tudo] de {name2}
- {20..90} minutos [no forno|em lume brando] e {10..30} de descanso
- {5..25} euros de fruta, [caso|se] {pt_food2} não [chegue|saia bem]
[No total|Ao todo], {60..290} euros. {name3} [ajuda|chega] a partir das {7..10}; [guardem|anotem] os recibos até
  {pt_day2}.

@ ru/week
> [Составь|Предложи] [мне|пожалуйста] план на неделю: город – {ru_city}, увлечение – {ru_hobby}, свободное время –
  после {4..7} часов.
< [Конечно|С радостью]. [Вот|Возможный] план, город {ru_city}:
*5
- {ru_day}: {ru_hobby} {ru_place}, с {5..6} до {7..9}, рядом {ru_name}.
- {ru_day2}: на ужин {ru_food}, гостей {3..9}, [телефоны|экраны] выключены.
- {ru_day3}: {ru_hobby2} {ru_place2}; [нужны|понадобятся] {ru_thing} и {50..400} рублей.
- {ru_day4}: прогулка, {3..14} километров, [потом|после неё] {ru_food2} {ru_place3}.
- {ru_day5}: {20..90} страниц книги и {3..8} записей, [лучше|можно] {ru_place4}.
- {ru_day6}: [отдых|ничего]; [может быть|возможно], придёт {ru_name2}, в руках {ru_thing2}.
> [А если|Что, если] {ru_name} не [придёт|сможет]?
< [Тогда|В этом случае] {ru_day} и {ru_day2} [меняются|поменяй] местами: {ru_food} [важнее|приятнее], чем
  {ru_hobby}, [говорит|считает] {ru_name2}.

@ ru/letter
> [Напиши|Составь] благодарность: {ru_name}, город {ru_city}, вещь на время – {ru_thing}.
< [Привет|Здравствуй], {ru_name}!
&4
- [Вечер|Праздник] {ru_place} [удался|вышел весёлым]: {20..80} гостей, на столе {ru_food}, посередине {ru_thing}.
- {ru_name2} [спрашивает|хочет знать], откуда такая [красота|вещь], уже {3..12} дней [подряд|кряду].
- [Верну|Принесу] всё в {9..11} часов {ru_place2}, [вместе|заодно] будет {ru_thing2}.
- [Приходи|Заходи] в гости: тебя [ждёт|ожидает] {ru_food2}, а {ru_city2} – [длинный|отдельный] рассказ.
- [Без тебя|Иначе] ушло бы {300..1900} рублей и {2..8} часов, [правда|честно].
[Обнимаю|С теплом|До встречи], {ru_name3}

@ ru/explain
> Почему {ru_hobby} [успокаивает|помогает]? Мой город – {ru_city}, сплю [плохо|мало].
< [Причин|Объяснений] несколько:
#4
- Руки [заняты|работают]: через {10..40} минут голова [отдыхает|молчит], [говорит|замечает] {ru_name} {ru_place}.
- [Ритм|Медленность]: {ru_hobby} – это {2..6} вдохов на движение, [примерно|не больше].
- [Меньше слов|Мало споров]: {ru_place2} {5..19} человек, {ru_food}, {ru_thing} [в углу|на столе].
- [Остаётся|Виден] след: {ru_thing2}, {3..12} за год, [подарок|показ] – {ru_day}.
- [Сон|Ночь] приходит [легче|раньше], если в {8..10} [темно|тихо] и {ru_name2} [молчит|уже дома].
[Начни|Попробуй] так: {ru_day2}, {20..50} минут; [через|спустя] {3..8} недель [сравни|запиши]. [Не поможет|Если
  нет] – [спроси|иди] к врачу.

@ ru/compare
> {ru_hobby} или {ru_hobby2}: возраст {age:18..70}, [бюджет|есть] {500..3000} рублей?
< В {age} [подходит|годится] и то и другое.
*3
- {ru_hobby}: [нужен|пригодится] {ru_thing}, около {200..1500} рублей и [место|угол] {ru_place}.
- {ru_hobby2}: [занятия|встречи] {ru_place2}, {ru_day}, {ru_name} и ещё {4..20} человек.
- [Сначала|Поначалу] {ru_hobby} – [труд|терпение], {3..9} недель до [радости|успеха].
- {ru_name2}, возраст {71..89}, [выбирает|любит]: {ru_hobby2}, {2..5} раза в месяц.
[Мой совет|Я бы сказал]: если {ru_day2} свободен, – {ru_hobby2}, [иначе|а нет] – {ru_hobby}, и [праздничный|в
  награду] {ru_food}.

@ ru/shop
> Что [купить|нужно]: {ru_food}, {ru_food2}, гостей {people:4..30}, {ru_place}, город {ru_city}?
< [Гостей|Порций] {people}, [значит|итак]:
*4
- {2..9} кило овощей, {ru_day}, [покупка|выбор] {ru_place2}, около {300..900} рублей
- {1..6} литров бульона, {200..900} граммов муки, [весы|мешок] даст {ru_name}
- {ru_thing} – для [красоты|подачи], {ru_thing2} – [запас|на всякий случай], хозяин {ru_name2}
- {20..90} минут на [огне|плите], потом {10..30} минут [покоя|тишины]
- {50..250} рублей на фрукты, если {ru_food2} не [выйдет|хватит]
[Всего|Итого] {900..2900} рублей. {ru_name3} [поможет|придёт] в {7..10}; [чеки|расчёт] – {ru_day2}.

@ zh/week
> [请|麻烦你]帮我安排在{zh_city}的一周,我喜欢{zh_hobby},每天{4..7}点以后有空。
< [好的|没问题],下面是在{zh_city}的[安排|计划]:
*5
- {zh_day}:和{zh_name}一起去{zh_place},{zh_hobby}[练习|活动]{30..90}分钟。
- {zh_day2}:做{zh_food}给{3..9}个人吃,[不看|放下]手机。
- {zh_day3}:到{zh_place2}[试试|学习]{zh_hobby2},带上{zh_thing}和{20..90}元。
- {zh_day4}:走{3..14}公里,然后在{zh_place3}[吃|尝]{zh_food2}。
- {zh_day5}:读{20..90}页书,[记下|抄写]{3..8}句话,最好在{zh_place4}。
- {zh_day6}:[休息|什么都不做],{zh_name2}也许会带着{zh_thing2}来。
> 如果{zh_name}[来不了|生病了]怎么办?
< [那就|可以]把{zh_day}和{zh_day2}[对调|换一下],{zh_name2}说,{zh_food}比{zh_hobby}更[暖心|热闹]。

@ zh/letter
> [请写|帮我写]一封感谢信给{zh_city}的{zh_name},他借给我{zh_thing},聚会有{count:20..80}人。
< {zh_name},[你好|见信好]:
&4
- 多亏[有你|你帮忙],那天{zh_place}的聚会很[热闹|成功],{count}位客人都吃到了{zh_food}。
- {zh_name2}[一直|总是]问{zh_thing}是哪里来的,我[讲|说]了{5..40}分钟你的故事。
- {zh_day}上午{9..11}点,我在{zh_place2}把它还给你,[另外|还有]{zh_thing2}。
- 有空来[尝尝|吃]{zh_food2},我们聊聊{zh_city2}和{zh_hobby}。
- [没有你|不然的话],我得花{100..900}元,还要等到{zh_day2}。
[祝好|谢谢|保重]。{zh_name3}

@ zh/explain
> 为什么{zh_hobby}能让人[平静|放松]?我住在{zh_city},晚上[睡不好|睡得少]。
< [常说的|一般的]理由有这些:
#4
- 手[忙着|在动],{10..40}分钟以后,头脑就[安静|休息]了,{zh_name}在{zh_place}常这么说。
- {zh_hobby}有[节奏|快慢],每个动作大约{2..6}次呼吸。
- 话[说得|变]少,{zh_place2}里{5..19}个人[分享|一起吃]{zh_food}。
- [留下|做出]东西,一年{3..12}件,{zh_day}送给{zh_name2},比如{zh_thing}。
- 晚上{8..10}点[关灯|收好],{zh_name3}也[不说话|回家了],就容易睡着。
[先|可以]从{zh_day2}开始,每次{20..50}分钟,{3..8}周以后[比较|看看],[还是|如果]不行就去{zh_city}看医生。

@ zh/compare
> {age:18..70}岁,有{300..900}元,学{zh_hobby}还是{zh_hobby2}?
< {age}岁[学|选]哪个都可以:
*3
- {zh_hobby}要[准备|买]{zh_thing},大约{100..500}元,还要在{zh_place}有[地方|位置]。
- {zh_hobby2}一般{zh_day}在{zh_place2},有{zh_name}和{4..20}个[同伴|朋友]。
- [开始|最初]{3..9}周,{zh_hobby}比较[慢|难],后来就[有意思|喜欢]了。
- {zh_name2}今年{71..89}岁,每月还去{2..5}次{zh_hobby2}。
[我的建议|我想]:{zh_day2}有空就选{zh_hobby2},[不然|否则]选{zh_hobby},再做{zh_food}[庆祝|奖励自己]。

@ zh/shop
> 在{zh_city}的{zh_place}请{people:4..30}个人吃{zh_food}和{zh_food2},要[买|准备]什么?
< {people}个人[大概|一共]要:
*4
- 蔬菜{2..9}公斤,{zh_day}在{zh_place2}[买|挑],{50..200}元
- 高汤{1..6}升,面粉{200..900}克,向{zh_name}[借|要]秤
- {zh_thing}用来[端菜|盛],{zh_thing2}[备用|好看],都是{zh_name2}的
- [小火|盖上]煮{20..90}分钟,再放{10..30}分钟
- 水果{20..99}元,万一{zh_food2}[不够|没做好]
[总共|加起来]{300..990}元,{zh_name3}{7..10}点来[帮忙|洗菜],{zh_day2}再[算账|结算]。

@ ja/week
> {ja_city}での一週間の予定を[立てて|考えて]ください。{ja_hobby}が好きで、毎日{4..7}時から空いています。
< [はい|もちろん]、{ja_city}での[予定|案]です。
*5
- {ja_day}:{ja_place}で{ja_hobby}を{30..90}分、{ja_name}さんと[一緒に|並んで]。
- {ja_day2}:{3..9}人分の{ja_food}を作り、電話は[見ない|切る]。
- {ja_day3}:{ja_place2}で{ja_hobby2}を[試す|習う]、{ja_thing}と{500..3000}円を持参。
- {ja_day4}:{3..14}キロ歩いて、[それから|あとで]{ja_place3}で{ja_food2}。
- {ja_day5}:本を{20..90}ページ読み、{3..8}行[書く|写す]、場所は{ja_place4}。
- {ja_day6}:[休み|何もしない]、{ja_name2}さんが{ja_thing2}を持って来るかも。
> {ja_name}さんが[来られない|休む]ときは?
< [それなら|その場合は]{ja_day}と{ja_day2}を[入れ替えます|替えましょう]。{ja_food}は一人でも[おいしい|楽しい]と
  {ja_name2}さんも言います。

@ ja/letter
> {ja_city}の{ja_name}さんに、{ja_thing}を[貸して|届けて]くれたお礼の手紙を書いて。客は{count:20..80}人でした。
< {ja_name}さん、[こんにちは|お元気ですか]。
&4
- おかげさまで{ja_place}の会は[にぎやか|大成功]で、{count}人が{ja_food}を[食べました|喜びました]。
- {ja_name2}さんに{ja_thing}の[出どころ|由来]を聞かれ、{5..40}分も[話しました|説明しました]。
- {ja_day}の{9..11}時に{ja_place2}で[お返し|お渡し]します、{ja_thing2}も[添えて|一緒に]。
- ぜひ{ja_food2}を[食べに|味見に]来てください、{ja_city2}と{ja_hobby}の話を[しましょう|聞かせて]。
- [そうでなければ|一人では]{1000..9000}円かかり、{ja_day2}まで[待つ|かかる]ところでした。
[かしこ|ではまた|感謝をこめて]、{ja_name3}

@ ja/explain
> なぜ{ja_hobby}をすると[落ち着く|休まる]のですか。{ja_city}に住み、よく[眠れません|目が覚めます]。
< [よく|一般に]言われる理由です。
#4
- 手が[動く|忙しい]と、{10..40}分で頭が[静か|楽]になると、{ja_place}の{ja_name}さん。
- {ja_hobby}には[リズム|間]があり、一つの動きに息が{2..6}回。
- [言葉|会話]が減り、{ja_place2}では{5..19}人が{ja_food}を[分けます|食べます]。
- [形|物]が残り、年に{3..12}個、{ja_day}に{ja_name2}さんへ{ja_thing}を[贈る|見せる]。
- {8..10}時に[片づけ|消灯し]、{ja_name3}さんも[静か|帰宅]なら、よく眠れます。
[まず|試しに]{ja_day2}に{20..50}分、{3..8}週後に[比べて|書いて]、[だめなら|続くなら]{ja_city}の医師へ。

@ ja/compare
> {age:18..70}歳で{3000..9000}円、{ja_hobby}と{ja_hobby2}の[どちら|どっち]がよいですか。
< {age}歳なら[両方|どちらも]できます。
*3
- {ja_hobby}には{ja_thing}と{1000..5000}円、{ja_place}に[場所|席]が要ります。
- {ja_hobby2}は{ja_day}に{ja_place2}で、{ja_name}さんたち{4..20}人と[習う|楽しむ]。
- [初め|最初]の{3..9}週、{ja_hobby}は[ゆっくり|難しい]、その後[夢中|得意]に。
- {71..89}歳の{ja_name2}さんは月に{2..5}回{ja_hobby2}へ。
[おすすめ|私の考え]は、{ja_day2}が空くなら{ja_hobby2}、[でなければ|無理なら]{ja_hobby}、お祝いに{ja_food}。

@ ja/shop
> {ja_city}の{ja_place}で{people:4..30}人に{ja_food}と{ja_food2}を出すには何を[買います|用意します]か。
< {people}人[分|前]なら、
*4
- 野菜{2..9}キロ、{ja_day}に{ja_place2}で[買う|選ぶ]、{1000..4000}円
- だし{1..6}リットル、粉{200..900}グラム、{ja_name}さんから[借りる|もらう]
- {ja_thing}は[盛りつけ|運ぶ]用、{ja_thing2}は[予備|飾り]、{ja_name2}さんの物
- [弱火|ふた]で{20..90}分、それから{10..30}分[休ませる|置く]
- 果物{500..2000}円、{ja_food2}が[足りない|失敗した]とき
[全部|合計]で{3000..9900}円、{ja_name3}さんは{7..10}時に[来て|手伝い]、{ja_day2}に[精算|計算]。
"""


@cache
def all_templates() -> tuple[Template, ...]:
    """All kinds, in all languages."""
    # A list stands right under the line before it here; the grammar parts paragraphs by blank lines.
    return templates(_spaced(TEXT))


def _spaced(text: str) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        before = lines[-1] if lines else ""
        begins = line[:1] in "*#&" and line[1:].isdecimal()
        ends = before.startswith(("- ", "  ")) and not line.startswith(("- ", "  ", ">", "<", "@"))
        lines += ["", line] if line and (begins or ends) else [line]
    return "\n".join(lines)


def row(draw: Draw) -> dict[str, Any]:
    """A conversation in one of eight languages."""
    template = draw.one(all_templates())
    messages = template.write(Filling(draw))
    return {"messages": messages, "language": template.name[:2], "template": f"multilingual/{template.name}"}

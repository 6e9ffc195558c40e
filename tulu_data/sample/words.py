"""Banks of words, by the name of their slot. Words that only evaluation sets use lie in `HELD_OUT`."""

from __future__ import annotations

from typing import Final

from tulu_data.sample.foreign_words import FOREIGN


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.replace("\n", ",").split(",") if word.strip())


BANKS: Final[dict[str, tuple[str, ...]]] = {
    "name": _words("""
        Ada, Akira, Alba, Amina, Anders, Anika, Arjun, Astrid, Beatriz, Bela, Bruno, Carmen, Cedric, Chidi, Chloe,
        Clara, Dalia, Damian, Davide, Dina, Edith, Elif, Emeka, Emil, Esther, Farid, Fatou, Felix, Fiona, Gaspar,
        Greta, Hana, Hassan, Hugo, Ida, Ilse, Imran, Ines, Isaac, Ivana, Jamal, Jonas, Jasmin, Joao, Judith, Kaito,
        Karim, Katya, Kofi, Lamia, Lars, Leila, Lena, Leo, Lin, Lucia, Malik, Mara, Marco, Mei, Mila, Miriam, Nadia,
        Naomi, Nils, Nora, Olga, Omar, Oscar, Paula, Pedro, Petra, Priya, Rafael, Rania, Rosa, Ruben, Sadia, Samir,
        Selma, Sofia, Sunil, Svenja, Tamara, Tariq, Thea, Tomas, Uma, Vera, Viktor, Wanda, Xavier, Yara, Yusuf, Zoe
    """),
    "city": _words("""
        Lisbon, Nairobi, Osaka, Bergen, Montreal, Kraków, Valparaíso, Accra, Leipzig, Turin, Hanoi, Medellín, Tbilisi,
        Gothenburg, Marrakesh, Dublin, Adelaide, Ljubljana, Cusco, Seville, Galway, Tampere, Porto, Chennai, Kigali,
        Utrecht, Salzburg, Halifax, Busan, Riga, Bologna, Cardiff, Thessaloniki, Windhoek, Quito, Antwerp, Nagoya,
        Wellington, Dakar, Tartu, Bilbao, Aarhus, Lyon, Izmir, Sapporo, Calgary, Mombasa, Plovdiv, Bristol, Cádiz,
        Reykjavík, Penang, Oaxaca, Ghent, Trieste, Pune, Rosario, Malmö, Graz, Hobart
    """),
    "street": _words("""
        Mill Lane, Harbour Street, Linden Avenue, Station Road, Orchard Row, Bridge Street, Chapel Hill, Canal Walk,
        Foundry Lane, Castle Road, Meadow Way, Brewer Street, Quarry Road, Weaver Square, Ferry Road, Garden Terrace,
        Lantern Court, Market Street, North Quay, Observatory Hill, Poplar Grove, Rope Walk, Sparrow Lane, Tanner Row,
        Union Street, Violet Close, Windmill Road, Cooper Yard, Abbey Lane, Cherry Drive
    """),
    "company": _words("""
        Alderbrook, Bluefen, Cardamom Labs, Driftwood, Eastgate, Fernhill, Gullwing, Hazelnut, Inkwell, Juniper Works,
        Kestrel, Lanternfish, Mossy Rock, Nightjar, Oakhurst, Pinwheel, Quillfeather, Redstart, Saltmarsh, Tidepool,
        Umbrella Pine, Velvet Ant, Wavelength, Yarrow, Zephyr Lane, Copperleaf, Stonecrop, Birchline, Marigold Systems,
        Foxglove, Granary, Heron Bay, Larkspur, Millrace, Northwind, Otter Creek, Plumtree, Ravensong, Sundial, Thistle
    """),
    "job": _words("""
        nurse, carpenter, librarian, electrician, pharmacist, surveyor, baker, translator, beekeeper, plumber, teacher,
        gardener, paramedic, architect, florist, tailor, postman, optician, geologist, welder, midwife, cook, potter,
        bus driver, sound engineer, social worker, watchmaker, forester, tram conductor, illustrator, bookbinder,
        dental assistant, crane operator, ferry captain, museum guard, piano tuner, cheesemaker, glazier, roofer, editor
    """),
    "hobby": _words("""
        pottery, chess, birdwatching, climbing, knitting, astronomy, fencing, origami, rowing, baking sourdough, judo,
        calligraphy, cycling, sketching, gardening, table tennis, beekeeping, swimming, choir singing, woodcarving,
        photography, orienteering, juggling, restoring radios, fly fishing, playing the cello, geocaching, mosaic,
        model railways, volleyball, tap dancing, archery, embroidery, sailing, foraging, stop-motion films, bouldering,
        crossword setting, letterpress printing, board games
    """),
    "animal": _words("""
        tortoise, rabbit, parrot, terrier, tabby cat, pony, goat, hamster, goose, ferret, guinea pig, canary, donkey,
        greyhound, hedgehog, collie, alpaca, hen, duck, spaniel, budgerigar, gecko, llama, poodle, sheepdog
    """),
    "food": _words("""
        lentil soup, mushroom risotto, apple strudel, bean stew, vegetable curry, cheese dumplings, rye bread, ramen,
        baked aubergine, potato salad, plum cake, fish tacos, spinach pie, pea soup, flatbread, barley pilaf,
        shakshuka, walnut brownies, pumpkin gnocchi, chickpea salad, couscous, tomato tart, banana bread,
        onion quiche, rice pudding, pancakes, beetroot borscht, carrot cake, stuffed peppers, corn chowder,
        noodle salad, almond biscuits, leek pie, lemon tart, paella, polenta, minestrone, cinnamon rolls, falafel,
        kimchi stew
    """),
    "fruit": _words("""
        apples, pears, plums, oranges, peaches, lemons, mangoes, apricots, figs, kiwis, quinces, nectarines, melons,
        limes, pomegranates, papayas, grapefruits, persimmons, avocados, coconuts
    """),
    "item": _words("""
        notebooks, lamps, mugs, candles, cushions, kites, scarves, baskets, clocks, puzzles, tea towels, backpacks,
        umbrellas, sketchbooks, teapots, torches, picture frames, bookends, doormats, wooden trains, rain jackets,
        bowls, chess sets, blankets, keyrings, wall maps, thermos flasks, bird feeders, water bottles, pencil cases,
        stools, coasters, vases, lunch boxes, hammocks, headphones, ukuleles, mirrors, sleeping bags, dominoes
    """),
    "shop": _words("""
        corner shop, bakery, bookshop, hardware store, flower stall, bicycle workshop, tea house, toy shop, farm shop,
        second-hand shop, garden centre, fishmonger, print shop, music store, stationery shop, museum shop, dairy,
        camping store, pottery studio, delicatessen, craft market, pharmacy, kiosk, co-operative, record shop
    """),
    "place": _words("""
        library, town hall, botanical garden, swimming pool, youth centre, railway museum, community kitchen,
        old mill, sports hall, observatory, harbour office, school gym, city archive, planetarium, village church,
        music school, allotment garden, skate park, theatre workshop, lighthouse, covered market, boathouse,
        fire station, art gallery, language café, cinema club, tram depot, neighbourhood centre, maker space,
        castle courtyard
    """),
    "event": _words("""
        book fair, harvest festival, science night, charity run, open house, lantern parade, chess tournament,
        flea market, poetry evening, spring concert, repair café, street party, cooking class, film marathon,
        quiz night, garden tour, choir rehearsal, photo exhibition, winter market, bicycle rally, pottery workshop,
        puppet show, seed swap, history walk, astronomy evening, folk dance, debate club final, model boat regatta,
        job fair, kite day
    """),
    "day": _words("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"),
    "month": _words("January, February, March, April, May, June, July, August, September, October, November, December"),
    "colour": _words("""
        crimson, teal, ochre, navy, olive, lilac, amber, ivory, charcoal, turquoise, scarlet, mint, maroon, sand,
        indigo, coral, slate, mustard, emerald, peach, plum, silver, rust, sky blue, forest green
    """),
    "material": _words("""
        oak, bamboo, linen, wool, clay, copper, cork, glass, slate, felt, cotton, birch, granite, tin, leather, paper,
        brass, walnut, hemp, marble, steel, jute, pine, enamel, porcelain, canvas, cedar, wax, rattan, silk
    """),
    "feeling": _words("""
        nervous, excited, tired, curious, overwhelmed, hopeful, restless, proud, worried, relieved, impatient, grateful,
        confused, lonely, motivated, sceptical, homesick, cheerful, frustrated, calm
    """),
    "adjective": _words("""
        quiet, bright, narrow, friendly, crooked, generous, dusty, elegant, stubborn, gentle, sturdy, modest, crowded,
        peculiar, patient, chilly, practical, colourful, reliable, forgotten, playful, weathered, spacious, honest,
        curious, sleepy, lively, simple, cosy, remote
    """),
    "subject": _words("""
        photosynthesis, plate tectonics, the French Revolution, probability, the water cycle, sonnets,
        electric circuits, the human heart, Roman law, fractions, the Silk Road, black holes, immunity,
        supply and demand, baroque music, volcanoes, coral reefs, the printing press, genetics, Greek drama,
        magnetism, glaciers, the Industrial Revolution, logarithms, bird migration, the periodic table,
        map projections, jazz, fermentation, cell division, prime numbers, the phases of the moon, constitutions,
        radio waves, ecosystems, sound, Viking ships, optics, soil, cryptography
    """),
    "song": _words("""
        lullaby, march, waltz, ballad, folk tune, fanfare, sea shanty, round, hymn, polka, bossa nova, nocturne, canon,
        tango, gospel song
    """),
    "book": _words("""
        The Salt Road, A Window in Winter, Nine Lanterns, The Cartographer's Niece, Under the Viaduct, Small Weather,
        The Last Ferry, Letters to a Glacier, Bread and Compass, The Quiet Orchard, Seven Bridges,
        The Clockmaker's Debt, A House of Reeds, North of Evening, The Borrowed Piano, Tidewater,
        The Glass Apprentice, An Honest Map, Sparrows in the Attic, The Long Thaw, Copper Morning,
        What the River Kept, The Paper Harbour, Two Winters, The Beekeeper's Alphabet, Smoke and Linen,
        A Field of Bells, The Unlit Stage, Half a Mile of Rain, Marsh Light
    """),
    "tool": _words("""
        spanner, chisel, trowel, hand plane, soldering iron, spirit level, mallet, rake, hacksaw, drill, tape measure,
        clamp, paint roller, pruning shears, wire brush, crowbar, staple gun, wheelbarrow, ladder, file
    """),
    "device": _words("""
        laptop, tablet, router, washing machine, printer, e-reader, smart speaker, thermostat, camera, phone, projector,
        coffee machine, dehumidifier, keyboard, headset, game console, toaster, doorbell camera, vacuum robot, monitor
    """),
    "noun": _words("""
        order, invoice, ticket, parcel, booking, sensor, reading, player, student, article, comment, product,
        vehicle, employee, patient, recipe, track, message, payment, session, device, account, shipment, review,
        event, branch, contract, donation, flight, lesson, machine, meter, novel, permit, quote, rental, sample,
        survey, token, visit, alarm, backup, badge, banner, cabin, camera, candidate, cargo_box, claim, coupon,
        course, crate, deposit, engine, expense, forecast, garden, guest, habit, hotel, journey, label, ledger,
        library, locker, medal, orchard, package, pallet, penalty, poster, project, refund, reminder, robot, route,
        rower, shift, signal, station, storage_unit, talk, template, transfer, tram, upload, valve, voucher,
        warehouse, well, workshop
    """),
    "field": _words("""
        amount, weight, score, price, duration, distance, rating, quantity, age, balance, priority, height, level,
        points, salary, delay, width, volume, cost, mileage, capacity, discount, pressure, temperature, humidity,
        latency, budget, credit, stock, margin, altitude, speed, depth, length, brightness, frequency, bonus, fee,
        load, yield_kg
    """),
    "verb": _words("""
        collect, compute, gather, summarise, extract, derive, resolve, build, determine, evaluate, prepare, produce,
        assemble, find, report, select, tally, estimate, process, work_out
    """),
    "word": _words("""
        lantern, harbour, velvet, thunder, maple, compass, orbit, pepper, saddle, ribbon, canyon, walnut, pebble,
        meadow, anchor, feather, timber, marble, spindle, copper, glacier, bramble, tunnel, whistle, saffron,
        turbine, quiver, parchment, mosaic, lattice, cinder, gravel, hollow, juniper, kettle, lagoon, mitten, nectar,
        oyster, pewter, quartz, ripple, sparrow, thimble, urchin, violet, wicker, yonder, zenith, almond, basalt,
        cobble, dapple, ember, fennel, garnet, heather, ivory, jasper, kindle
    """),
    "season": _words("spring, summer, autumn, winter"),
    "language": _words("""
        Portuguese, Swahili, Polish, Korean, Finnish, Arabic, Turkish, Greek, Hindi, Dutch, Catalan, Vietnamese, Irish,
        Hungarian, Persian, Danish, Thai, Basque, Romanian, Icelandic
    """),
    "instrument": _words("""
        cello, banjo, oboe, accordion, harp, trumpet, mandolin, clarinet, viola, ukulele, drums, flute, organ, bassoon,
        guitar, saxophone, marimba, recorder, trombone, piano
    """),
    **{name: _words(text) for name, text in FOREIGN.items()},
}

HELD_OUT: Final[dict[str, tuple[str, ...]]] = {
    "name": _words("""
        Abigail, Benedikt, Cosima, Dimitri, Eleni, Florian, Giulia, Henrik, Ingrid, Jakub, Kamala, Lorenzo, Matilda,
        Nikolai, Odile, Philippa, Quentin, Rosalind, Sebastian, Theodora, Ulrike, Valentin, Wilhelmina, Yolanda, Zoltan
    """),
    "company": _words("""
        Aspenfield, Brightwater, Cinderpath, Dovecote, Elmstead, Flintlock Media, Gatehouse, Hollybank,
        Ironbridge Tools, Jackdaw, Kingfisher Data, Lowtide, Merrow, Netherby, Overlook
    """),
}

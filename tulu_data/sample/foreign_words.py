"""Banks of words in other languages; places are in the form that says where."""

from __future__ import annotations

from typing import Final

FOREIGN: Final[dict[str, str]] = {
    "fr_food": """
        la soupe aux lentilles, la tarte aux poireaux, le gratin de courge, la salade de pois chiches,
        le riz au lait, la ratatouille, le clafoutis, la quiche aux oignons, le potage aux carottes, les crêpes,
        le pain de seigle, la tarte au citron, le couscous, la purée de panais, les beignets de pomme, le flan,
        le velouté de petits pois
    """,
    "fr_place": """
        à la bibliothèque, au marché couvert, au jardin botanique, à la piscine, au musée, à la gare, au théâtre,
        à la mairie, au bord du canal, dans la cour, à la librairie, au café du port, à l'école de musique,
        à l'atelier, dans la vieille ville, au planétarium
    """,
    "fr_hobby": """la poterie, les échecs, la natation, le tricot, la photographie, l'escrime, la randonnée, le chant,
        l'astronomie, la menuiserie, l'aquarelle, le jardinage, la danse, la broderie, l'apiculture, le tir à l'arc""",
    "fr_thing": """
        un carnet, une lampe, un parapluie, une boussole, un tablier, une théière, un puzzle, une couverture,
        un panier, une échelle, un miroir, un tabouret, une gourde, un cerf-volant, une horloge, un sac à dos
    """,
    "fr_day": "lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche",
    "de_food": """
        Linsensuppe, Kürbisauflauf, Zwiebelkuchen, Kartoffelsalat, Grießbrei, Apfelstrudel, Gemüsecurry, Pilzrisotto,
        Käsespätzle, Rote-Bete-Suppe, Zitronenkuchen, Bohneneintopf, Maisbrot, Spinatknödel, Pflaumenkompott,
        Reissalat
    """,
    "de_place": """
        in der Bibliothek, auf dem Wochenmarkt, im Botanischen Garten, im Hallenbad, am Hafen, im Museum, am Bahnhof,
        im Rathaus, im Theater, in der Werkstatt, im Schulhof, in der Buchhandlung, am Kanal, in der Sternwarte,
        im Gemeindehaus, auf dem Dachboden
    """,
    "de_hobby": """
        Töpfern, Schach, Schwimmen, Stricken, Fotografieren, Fechten, Wandern, Chorsingen, Sternebeobachten,
        Schreinern, Malen, Gärtnern, Tanzen, Sticken, Imkern, Bogenschießen
    """,
    "de_thing": """
        ein Notizbuch, eine Lampe, ein Regenschirm, ein Kompass, eine Schürze, eine Teekanne, ein Puzzle, eine Decke,
        ein Korb, eine Leiter, ein Spiegel, ein Hocker, eine Trinkflasche, ein Drachen, eine Uhr, ein Rucksack
    """,
    "de_day": "Montag, Dienstag, Mittwoch, Donnerstag, Freitag, Samstag, Sonntag",
    "es_food": """
        la sopa de lentejas, la tortilla de patatas, el arroz con leche, la ensalada de garbanzos, el pan de centeno,
        la tarta de limón, el guiso de alubias, las empanadas, la crema de calabaza, el pisto, los buñuelos,
        el gazpacho, la quiche de cebolla, el flan, las croquetas, el cuscús
    """,
    "es_place": """
        en la biblioteca, en el mercado, en el jardín botánico, en la piscina, en el puerto, en el museo,
        en la estación, en el ayuntamiento, en el teatro, en el taller, en el patio, en la librería, junto al canal,
        en el observatorio, en la plaza, en el desván
    """,
    "es_hobby": """
        la alfarería, el ajedrez, la natación, el punto, la fotografía, la esgrima, el senderismo, el coro,
        la astronomía, la carpintería, la acuarela, la jardinería, el baile, el bordado, la apicultura,
        el tiro con arco
    """,
    "es_thing": """
        un cuaderno, una lámpara, un paraguas, una brújula, un delantal, una tetera, un rompecabezas, una manta,
        una cesta, una escalera, un espejo, un taburete, una cantimplora, una cometa, un reloj, una mochila
    """,
    "es_day": "lunes, martes, miércoles, jueves, viernes, sábado, domingo",
    "it_food": """
        la zuppa di lenticchie, la torta di mele, il risotto ai funghi, l'insalata di ceci, il pane di segale,
        la crostata al limone, lo stufato di fagioli, la polenta, la vellutata di zucca, la caponata, le frittelle,
        il budino, la focaccia, gli gnocchi, la ribollita, il minestrone
    """,
    "it_place": """
        in biblioteca, al mercato coperto, nell'orto botanico, in piscina, al porto, al museo, alla stazione,
        in municipio, a teatro, in officina, nel cortile, in libreria, lungo il canale, all'osservatorio, in piazza,
        in soffitta
    """,
    "it_hobby": """
        la ceramica, gli scacchi, il nuoto, la maglia, la fotografia, la scherma, l'escursionismo, il coro,
        l'astronomia, la falegnameria, l'acquerello, il giardinaggio, il ballo, il ricamo, l'apicoltura,
        il tiro con l'arco
    """,
    "it_thing": """
        un quaderno, una lampada, un ombrello, una bussola, un grembiule, una teiera, un puzzle, una coperta,
        un cesto, una scala, uno specchio, uno sgabello, una borraccia, un aquilone, un orologio, uno zaino
    """,
    "it_day": "lunedì, martedì, mercoledì, giovedì, venerdì, sabato, domenica",
    "pt_food": """
        a sopa de lentilhas, a tarte de maçã, o arroz de cogumelos, a salada de grão, o pão de centeio,
        o bolo de limão, o guisado de feijão, as papas de milho, o creme de abóbora, a açorda, os pastéis, o pudim,
        a broa, o caldo verde, o arroz doce, a feijoada de legumes
    """,
    "pt_place": """
        na biblioteca, no mercado, no jardim botânico, na piscina, no porto, no museu, na estação,
        na câmara municipal, no teatro, na oficina, no pátio, na livraria, junto ao canal, no observatório, na praça,
        no sótão
    """,
    "pt_hobby": """a olaria, o xadrez, a natação, o tricô, a fotografia, a esgrima, as caminhadas, o coro, a astronomia,
        a carpintaria, a aguarela, a jardinagem, a dança, o bordado, a apicultura, o tiro com arco""",
    "pt_thing": """
        um caderno, um candeeiro, um guarda-chuva, uma bússola, um avental, um bule, um quebra-cabeças, uma manta,
        um cesto, um escadote, um espelho, um banco, um cantil, um papagaio de papel, um relógio, uma mochila
    """,
    "pt_day": "segunda-feira, terça-feira, quarta-feira, quinta-feira, sexta-feira, sábado, domingo",
    "ru_name": """
        Анна, Борис, Вера, Глеб, Дарья, Егор, Жанна, Захар, Ирина, Кирилл, Лидия, Максим, Нина, Олег, Полина, Роман,
        Софья, Тимур, Ульяна, Фёдор, Эмма, Юрий, Яна, Марат, Алиса, Денис
    """,
    "ru_city": """
        Казань, Рига, Тбилиси, Пермь, Ереван, Томск, Минск, Тула, Самара, Псков, Алматы, Вологда, Омск, Калуга,
        Бишкек, Суздаль
    """,
    "ru_food": """
        чечевичный суп, яблочный пирог, гречневая каша, картофельный салат, ржаной хлеб, лимонный кекс, овощное рагу,
        вареники, тыквенный крем-суп, борщ, оладьи, пудинг, грибной жульен, рисовая каша, винегрет, сырники
    """,
    "ru_place": """
        в библиотеке, на рынке, в ботаническом саду, в бассейне, в порту, в музее, на вокзале, в театре,
        в мастерской, во дворе, в книжном магазине, у канала, в обсерватории, на площади, на чердаке, в школе
    """,
    "ru_hobby": """
        керамика, шахматы, плавание, вязание, фотография, фехтование, пешие походы, хоровое пение, астрономия,
        столярное дело, акварель, садоводство, танцы, вышивка, пчеловодство, стрельба из лука
    """,
    "ru_thing": """
        блокнот, лампа, зонт, компас, фартук, чайник, головоломка, плед, корзина, лестница, зеркало, табурет, фляга,
        воздушный змей, будильник, рюкзак
    """,
    "ru_day": "понедельник, вторник, среда, четверг, пятница, суббота, воскресенье",
    "zh_name": """
        小林, 小雨, 志明, 雅婷, 建国, 思远, 美玲, 子涵, 天宇, 晓峰, 文静, 佳怡, 国强, 梦瑶, 浩然, 春燕, 立新, 若曦,
        明轩, 秋月
    """,
    "zh_city": "成都, 杭州, 昆明, 西安, 厦门, 苏州, 青岛, 桂林, 大连, 长沙, 哈尔滨, 洛阳, 泉州, 扬州, 丽江, 兰州",
    "zh_food": """
        扁豆汤, 番茄炒蛋, 南瓜粥, 葱油饼, 麻婆豆腐, 苹果派, 土豆沙拉, 蘑菇饭, 红豆糕, 凉拌黄瓜, 素饺子, 柠檬蛋糕,
        玉米汤, 炒面, 豆沙包, 紫菜汤
    """,
    "zh_place": """
        图书馆, 菜市场, 植物园, 游泳馆, 码头, 博物馆, 火车站, 剧院, 工作室, 院子里, 书店, 运河边, 天文台, 广场, 阁楼,
        社区中心
    """,
    "zh_hobby": "陶艺, 下棋, 游泳, 织毛衣, 摄影, 击剑, 徒步, 合唱, 观星, 木工, 水彩画, 园艺, 跳舞, 刺绣, 养蜂, 射箭",
    "zh_thing": "笔记本, 台灯, 雨伞, 指南针, 围裙, 茶壶, 拼图, 毯子, 竹篮, 梯子, 镜子, 凳子, 水壶, 风筝, 闹钟, 背包",
    "zh_day": "星期一, 星期二, 星期三, 星期四, 星期五, 星期六, 星期天",
    "ja_name": """
        健太, 美咲, 翔, 陽菜, 大輔, さくら, 拓海, 葵, 直樹, 結衣, 悠斗, 真央, 浩二, 千夏, 涼, 由美, 誠, 彩, 修, 直子
    """,
    "ja_city": "京都, 札幌, 金沢, 長崎, 神戸, 松本, 仙台, 高知, 奈良, 那覇, 函館, 倉敷, 福岡, 新潟, 広島, 鎌倉",
    "ja_food": """
        豆のスープ, かぼちゃの煮物, きのこご飯, 味噌汁, 卵焼き, 焼きりんご, じゃがいもサラダ, うどん, 野菜カレー,
        おにぎり, だんご, お好み焼き, 冷や奴, レモンケーキ, とうもろこし汁, おはぎ
    """,
    "ja_place": """
        図書館, 市場, 植物園, プール, 港, 博物館, 駅前, 劇場, 工房, 中庭, 本屋, 運河沿い, 天文台, 広場, 屋根裏,
        公民館
    """,
    "ja_hobby": """
        陶芸, 将棋, 水泳, 編み物, 写真, 剣道, 山歩き, 合唱, 天体観測, 木工, 水彩画, 園芸, ダンス, 刺繍, 養蜂, 弓道
    """,
    "ja_thing": """
        ノート, 電気スタンド, 傘, 方位磁針, エプロン, 急須, パズル, 毛布, かご, はしご, 鏡, 丸椅子, 水筒, 凧,
        目覚まし時計, リュック
    """,
    "ja_day": "月曜日, 火曜日, 水曜日, 木曜日, 金曜日, 土曜日, 日曜日",
}

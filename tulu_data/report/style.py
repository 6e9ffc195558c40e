"""The style of the page, and its only script: the search in the rows. Nothing is loaded from elsewhere."""

from typing import Final

CSS: Final = """
:root{color-scheme:light dark;--bg:#fbfbf9;--card:#fff;--ink:#1d2025;--soft:#5b626d;--line:#dfe1e4;--kept:#2f7d5d;
--mark:#ffe08a;--link:#1c5fa8;--bad:#a8322d;--track:#eceef0;
--c0:#9aa1ab;--c1:#b5532a;--c2:#c28a12;--c3:#7b5ba6;--c4:#b03060;--c5:#2f6db3;--c6:#12808c;--c7:#6b6f2a}
@media (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1b1f25;--ink:#e7e9ec;--soft:#a3abb6;--line:#333943;
--kept:#57b48a;--mark:#6b5310;--link:#8ab8ee;--bad:#f08a84;--track:#2a3038;
--c0:#78808c;--c1:#e08a5f;--c2:#d9ac45;--c3:#b295dd;--c4:#e0769d;--c5:#7aaee6;--c6:#54bcc7;--c7:#b1b562}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.25rem}
h1{font-size:1.9rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.3rem;margin:0 0 .25rem}
h3{font-size:1rem;margin:1.6rem 0 .35rem}
section{margin:2.2rem 0;padding:1.4rem 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem}
p{margin:.3rem 0 .8rem;max-width:46rem}
.soft,.caption,th{color:var(--soft)}
.sub{color:var(--soft);margin-top:.35rem;overflow-wrap:anywhere}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,input:focus-visible,select:focus-visible,.wide:focus-visible{outline:2px solid var(--link);outline-offset:2px}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:1rem 0 0;font-size:.95rem}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;margin:1.4rem 0 0;padding:0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}
.facts dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:0;font-size:1.5rem;font-weight:650;font-variant-numeric:tabular-nums;line-height:1.25}
.facts small{display:block;font-size:.8rem;font-weight:400;color:var(--soft);line-height:1.35}
.wide{overflow-x:auto;margin:.2rem 0 .9rem}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums;min-width:100%}
.caption{font-size:.92rem;margin:.6rem 0 0}
th code,td div code{white-space:nowrap}
tbody th{vertical-align:middle}
th{font-weight:500;text-align:left;vertical-align:bottom;font-size:.85rem}
th,td{padding:.28rem .9rem .28rem 0;border-bottom:1px solid var(--line)}
tbody th{color:var(--ink);font-size:.92rem;font-weight:400;overflow-wrap:break-word}
thead th.n{white-space:normal}
th.n,td.n{text-align:right;white-space:nowrap}
td.zero{color:var(--soft)}
tr.all>*{font-weight:650}
tr.used>*{font-weight:650;background:color-mix(in srgb,var(--mark) 45%,transparent)}
td.bar{width:38%;min-width:9rem}
.track{display:flex;position:relative;height:.85rem;background:var(--track);border-radius:.2rem;overflow:hidden}
.track i{display:block;height:100%}
.track b{position:absolute;top:0;height:100%;width:2px;background:var(--ink)}
.thin{height:.45rem;margin:.12rem 0}
pre{overflow-x:auto;font:.85rem/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;margin:.4rem 0}
.added{color:var(--kept)}.gone{color:var(--bad)}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.2rem 0 .6rem;padding:0;list-style:none;font-size:.88rem}
.key i{display:inline-block;width:.75rem;height:.75rem;border-radius:.15rem;margin-right:.35rem;vertical-align:-.06rem}
.key b{display:inline-block;width:2px;height:.85rem;background:var(--ink);margin-right:.45rem;vertical-align:-.1rem}
.beside{display:grid;grid-template-columns:minmax(15rem,22rem) minmax(0,1fr);gap:.5rem 2rem;align-items:start}
.multiples{display:grid;grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr));gap:1rem 1.4rem}
figure{margin:.4rem 0}
figcaption{font-size:.88rem}
figcaption strong{font-weight:600}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--soft);font-size:11px;font-family:inherit}
svg .bin{fill:var(--c5)}
svg .axis{stroke:var(--line)}
svg .cut{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:4 3}
svg .cutname{fill:var(--bad)}
.tools{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin:.6rem 0}
.tools label{display:grid;font-size:.85rem;color:var(--soft);flex:1 1 10rem}
.tools input,.tools select{font:inherit;color:var(--ink);background:var(--bg);border:1px solid var(--soft);border-radius:.35rem;padding:.35rem .5rem;width:100%;height:2.4rem}
.row{border-top:1px solid var(--line);padding:.15rem 0}
.row summary{cursor:pointer;padding:.35rem 0;overflow-wrap:anywhere}
.row summary .begin{color:var(--soft)}
.fate{font-weight:600;color:var(--bad)}
.fate.kept{color:var(--kept)}
.turn{margin:.35rem 0 .35rem 1rem}
.turn .role{color:var(--soft);font-size:.82rem}
.turn .text{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;max-width:52rem}
.twin{border-left:3px solid var(--line);margin:.6rem 0 .6rem 1rem;padding-left:.6rem}
.evidence{margin:.2rem 0 .2rem 1rem;font-size:.9rem;color:var(--soft);overflow-wrap:anywhere}
mark{background:var(--mark);color:inherit;border-radius:.15rem}
main{padding-bottom:3rem}#checking{overflow-wrap:anywhere}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem}
@media (max-width:40rem){.beside{grid-template-columns:1fr}section{padding:1rem .95rem;margin:1.2rem -.5rem}main,header{padding-left:.9rem;padding-right:.9rem}
header{padding-top:1.3rem}h1{font-size:1.5rem}.facts{grid-template-columns:1fr 1fr}.facts dd{font-size:1.25rem}td.bar{min-width:6rem}
th,td{padding-right:.65rem}.turn,.evidence,.twin{margin-left:.2rem}}
@media print{:root{--bg:#fff;--card:#fff}body{font-size:10.5pt}.tools,nav,.skip{display:none}section{border:0;padding:0;margin:1.2rem 0}
.wide{overflow:visible}table{font-size:7.5pt}th,td{padding-right:.35rem}tr,figure{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

SCRIPT: Final = """
(() => {
  const tools = document.getElementById("tools");
  if (!tools) return;
  const rows = [...document.querySelectorAll(".row")];
  const [text, fate, source] = ["text", "fate", "source"].map((name) => document.getElementById("find-" + name));
  const told = document.getElementById("found");
  const show = () => {
    const wanted = text.value.toLowerCase();
    let found = 0;
    for (const row of rows) {
      const fits = (!fate.value || row.dataset.fate === fate.value)
        && (!source.value || row.dataset.source === source.value)
        && (!wanted || row.textContent.toLowerCase().includes(wanted));
      row.hidden = !fits;
      found += fits;
    }
    told.textContent = found + " of " + rows.length + " rows shown";
  };
  tools.hidden = false;
  for (const input of [text, fate, source]) input.addEventListener("input", show);
  show();
})();
"""

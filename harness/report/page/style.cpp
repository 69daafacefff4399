#include "harness/report/page/style.h"

#include "harness/core/error.h"
#include "harness/report/figures/palette.h"

namespace harness {

namespace {

constexpr const char* kSheet = R"css(
:root{color-scheme:light dark;--ground:#f6f6f4;--card:#fff;--ink:#1c1c1c;--soft:#5c5c5c;--line:#dcdcd8;--accent:#0a5c8f;
--up:#0a5c8f;--down:#a84300;--zero:#ececea}
@media (prefers-color-scheme:dark){:root{--ground:#141414;--card:#1f1f1f;--ink:#ebebeb;--soft:#a9a9a9;--line:#383838;
--accent:#7cc4f2;--up:#7cc4f2;--down:#ff9d5c;--zero:#2d2d2d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:90rem;margin:0 auto;padding:1.5rem 1rem 4rem}
header p,.note{color:var(--soft)}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.2rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1rem 0 .4rem}
a{color:var(--accent)}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.75rem 0 0;font-size:.9rem}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;margin:1rem 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;margin:.25rem 0}
caption{text-align:left;color:var(--soft);padding:.25rem 0;font-size:.85rem}
th,td{padding:.3rem .55rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}
thead th{font-weight:600;border-bottom:2px solid var(--line)}
th.set{text-align:center}
tr.group th{color:var(--soft);font-weight:600;padding-top:.8rem}
td.words,th.words{text-align:left;white-space:normal}
tr.published td{color:var(--soft);font-style:italic}
small{color:var(--soft)}
.up{color:var(--up)}.down{color:var(--down)}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,28rem),1fr));gap:1rem}
.figures figure.wide{grid-column:1/-1;max-width:46rem}
figure{margin:0}
figure svg{width:100%;height:auto;display:block}
svg.strip{width:auto;max-width:none}
svg text{font-family:system-ui,sans-serif}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--ground);border:1px solid var(--line);border-radius:6px;
padding:.5rem;margin:.25rem 0 .75rem;font-size:.85rem}
details{margin:.3rem 0}
summary{cursor:pointer}
code{overflow-wrap:anywhere}
.bar{display:inline-block;height:.6em;background:var(--accent);border-radius:2px;margin-right:.35em}
.legend{display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.85rem;color:var(--soft);margin:.4rem 0}
.legend i{display:inline-block;width:1em;height:1em;border-radius:2px;margin-right:.3em;vertical-align:-.1em}
.strip .label{fill:var(--ink);font-size:11px}
.z0{fill:var(--zero);background:var(--zero)}
.p1{fill:#bcdcf0;background:#bcdcf0}.p2{fill:#74b3da;background:#74b3da}.p3{fill:#2a82b8;background:#2a82b8}
.p4{fill:#0a4c78;background:#0a4c78}
.n1{fill:#f6d3b8;background:#f6d3b8}.n2{fill:#eda26a;background:#eda26a}.n3{fill:#d0661f;background:#d0661f}
.n4{fill:#8f3d05;background:#8f3d05}
@media (prefers-color-scheme:dark){
.p1{fill:#1d3f54;background:#1d3f54}.p2{fill:#2a6c94;background:#2a6c94}.p3{fill:#4aa5dc;background:#4aa5dc}
.p4{fill:#b3e0ff;background:#b3e0ff}
.n1{fill:#513019;background:#513019}.n2{fill:#8a4b1c;background:#8a4b1c}.n3{fill:#de7d33;background:#de7d33}
.n4{fill:#ffcfa8;background:#ffcfa8}}
@media (max-width:40rem){main{padding:.75rem .5rem 3rem}section{padding:.75rem .6rem}th,td{padding:.3rem .4rem}}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--accent:#0a5c8f;--up:#0a5c8f;
--down:#a84300;--zero:#ececea}nav{display:none}section{border:0;padding:.25rem 0}figure,tr{break-inside:avoid}
.scroll{overflow:visible}table{font-size:7pt}th,td{padding:.1rem .2rem}}
)css";

std::string twin(const SeriesColour& colour) {
  return fmt::format(
      "svg [stroke=\"{0}\"],svg [stroke='{0}']{{stroke:{1}}}svg [fill=\"{0}\"],svg [fill='{0}']{{fill:{1}}}"
      "svg [color=\"{0}\"],svg [color='{0}']{{color:{1}}}\n",
      colour.light, colour.dark);
}

}  // namespace

std::string html_style() {
  std::string twins;
  for (const SeriesColour& colour : kSeriesColours) twins += twin(colour);
  for (const SeriesColour& colour : {kUntrainedColour, kTextInk, kAxisInk, kGridInk}) twins += twin(colour);
  return std::string(kSheet) + "@media screen and (prefers-color-scheme:dark){\n" + twins + "}\n";
}

}  // namespace harness

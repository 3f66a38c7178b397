"""How does a pair look? The style of what `ui.pair_card` writes; colours come as variables from charts/theme.py."""

from __future__ import annotations

STYLE = """<style>
.jl { color: var(--ink); font-size: .95rem; line-height: 1.5; }
.jl * { box-sizing: border-box; }
.jl .muted { color: var(--muted); }
.jl .label { color: var(--muted); font-size: .85rem; margin: 0 0 .2rem; display: flex; flex-wrap: wrap;
  gap: .2rem .8rem; }
.jl .text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: start; overflow: auto;
  tab-size: 4; outline-offset: 2px; }
.jl .prompt .text { max-height: 9.5rem; font-weight: 550; }
.jl .answers { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-top: 1rem; align-items: start; }
.jl article { border: 1px solid var(--border); border-radius: .4rem; min-width: 0; }
.jl article header { padding: .5rem .8rem; background: var(--second); border-bottom: 1px solid var(--border);
  border-radius: .4rem .4rem 0 0; display: flex; flex-wrap: wrap; gap: .3rem .6rem; align-items: baseline; }
.jl article .name { font-weight: 650; overflow-wrap: anywhere; }
.jl article .text { padding: .7rem .8rem; max-height: 34rem; }
.jl article .text mark { color: inherit; background: color-mix(in srgb, var(--flag) 30%, transparent);
  border-bottom: 2px solid var(--flag); border-radius: .15rem; padding: .05rem 0; box-decoration-break: clone;
  -webkit-box-decoration-break: clone; }
.jl .counted { margin-left: auto; font-size: .85rem; border-bottom: 2px solid var(--flag); }
.jl .chips { display: flex; flex-wrap: wrap; gap: .3rem; }
.jl .chip { border: 1px solid var(--hue); border-radius: 1rem; padding: 0 .55rem; font-size: .85rem;
  white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis; background: var(--background); }
.jl .chip b, .jl .mark { color: var(--hue); font-weight: 400; margin-right: .3rem; }
.jl .bars { margin: .9rem 0 0; }
.jl .bar { display: grid; grid-template-columns: 10rem 1fr 1fr 10rem; grid-template-areas: "who left right note";
  align-items: center; margin-bottom: .2rem; }
.jl .bar > span { min-width: 0; overflow-wrap: anywhere; line-height: 1.25; }
.jl .who { grid-area: who; } .jl .left { grid-area: left; } .jl .right { grid-area: right; }
.jl .note { grid-area: note; text-align: right; font-size: .85rem; }
.jl .head { font-size: .85rem; color: var(--muted); padding: 0 .3rem; }
.jl .left { text-align: right; }
.jl .half { display: flex; align-items: center; gap: .35rem; height: 1.15rem; font-size: .85rem; }
.jl .half.left { flex-direction: row-reverse; border-right: 1px solid var(--zero); }
.jl .fill { height: .8rem; background: var(--hue); flex: none; }
.jl .less .fill { opacity: .35; }
.jl .out, .jl .out h4 { color: var(--muted); }
.jl .out .fill { opacity: .65; }
.jl summary { cursor: pointer; color: var(--muted); margin: .4rem 0; }
.jl .said { margin: 0 0 .8rem; }
.jl .said h4 { font-size: .95rem; font-weight: 600; margin: 0 0 .15rem; padding: 0; }
.jl .said ul { margin: 0; padding: 0 0 0 1.2rem; }
.jl .said li { margin: 0 0 .1rem; padding: 0; font-size: .9rem; overflow-wrap: anywhere; }
.jl .reason { border-left: 2px solid var(--border); padding-left: .6rem; margin: .15rem 0 .4rem; max-height: 14rem; }
@media (max-width: 640px) {
  .jl .answers { grid-template-columns: 1fr; }
  .jl .bar { grid-template-columns: 1fr 1fr; grid-template-areas: "who note" "left right"; }
  .jl .bar.heads { grid-template-areas: "left right"; }
}
</style>"""

"""The HTML report of a scan in headless Chromium: `python3 tests/python/html_report.py`, at the root of the repository.

Requires Debian's package `chromium`, or another Chromium named by the variable CHROMIUM; without one it fails.
A page beside the report shows it in a frame and examines it there, so that the report under test is unmodified.
"""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DARK = "--blink-settings=preferredColorScheme=0"
# As `HOSTILE` in tools/scan/src/example.rs, as a reader must see it.
HOSTILE = (
    "</script><script>document.title='owned'</script>"
    "\"><img src=x onerror=\"document.title='owned'\"></details></table>'`"
    "\\u{202e}gpj.exe\\u{2066}\\u{200b}\\u{0}\\u{1b}[31m"
    "&lt;b&gt;&amp;]]><!--\\u{d}"
)

# Runs in the page around the report; `report` is its document, `view` its window.
EXAMINE = """
const visible = (element) => element.checkVisibility({ contentVisibilityAuto: false });
const channel = (it) => (it /= 255) <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const color = (text) => text.match(/[\\d.]+/g).map(Number);
const background = (element) => {
  for (let it = element; it; it = it.parentElement) {
    const found = color(view.getComputedStyle(it).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found;
  }
  return [255, 255, 255];
};
const contrast = (element) => {
  const one = luminance(color(view.getComputedStyle(element).color));
  const other = luminance(background(element));
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
};
const results = () => report.querySelectorAll("[data-status]");
const shown = () => [...results()].filter((it) => !it.hidden).length;
const choose = (filter, value) => {
  const select = report.querySelector(`[data-filter=${filter}]`);
  select.value = value;
  select.dispatchEvent(new view.Event("change"));
};
const search = (text) => {
  view.setTimeout = (run) => run();
  report.getElementById("query").value = text;
  report.getElementById("query").dispatchEvent(new view.Event("input"));
};
const reset = () => report.getElementById("reset").click();
// Also lays out what `content-visibility` skips.
const openAll = () => {
  report.querySelectorAll("details").forEach((it) => { it.open = true; });
  report.querySelectorAll(".control").forEach((it) => { it.style.contentVisibility = "visible"; });
};
"""


def browser():
    """The path of Chromium."""
    path = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if path is None:
        sys.exit("html_report: Chromium: not on the PATH: install Debian's package `chromium`, or set CHROMIUM")
    return path


def write(name, *arguments):
    """The report of the example scan, as a file of the folder."""
    command = ["cargo", "run", "--quiet", "-p", "rectify-scan", "--example", "html_report", "--", *arguments]
    path = FOLDER / name
    path.write_bytes(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return path


def chromium(*arguments):
    """Runs Chromium; its output and its log."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [BROWSER, "--headless", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files", *sandbox]
    profile = f"--user-data-dir={FOLDER / 'profile'}"
    done = subprocess.run([*command, profile, *arguments], check=True, capture_output=True, timeout=120)
    return done.stdout.decode(), done.stderr.decode()


def examine(path, expression, *flags, width=1400, sandbox=""):
    """The value of an expression over the report in a frame of this width."""
    page = FOLDER / "around.html"
    page.write_text(
        f"""<!doctype html><meta charset="utf-8"><body style="margin:0"><script>
        const began = performance.now();
        addEventListener("load", () => {{
          const view = document.querySelector("iframe").contentWindow;
          const report = view.document;
          {EXAMINE}
          const value = JSON.stringify((() => {{ {expression} }})());
          document.querySelector("iframe").remove();
          document.body.appendChild(document.createElement("pre")).textContent = value;
        }});
        </script><iframe {sandbox} src="{path.as_uri()}" style="border:0;width:{width}px;height:1000px"></iframe>""",
        encoding="utf-8",
    )
    output, log = chromium("--dump-dom", *flags, page.as_uri())
    found = re.search(r"<pre>(.*)</pre>", output, re.DOTALL)
    if found is None:
        raise AssertionError(f"no answer from the browser: {log}")
    return json.loads(html.unescape(found.group(1)))


class Report(unittest.TestCase):
    def test_hostile_text_is_text(self):
        found = examine(
            HOSTILE_REPORT,
            """return { title: report.title, images: report.images.length, scripts: report.scripts.length,
            results: results().length, name: report.querySelector(".findings bdi").textContent,
            command: report.querySelector(".copy code").textContent, loaded: view.performance.getEntriesByType("resource").length };""",
        )
        self.assertEqual(found.pop("name"), "annual-report-drafts" + HOSTILE.replace("<!--\\u{d}", "<!--\\u{d}\\u{a}"))
        self.assertTrue(found.pop("command").endswith(HOSTILE + "\n"))
        expected = {"images": 0, "scripts": 1, "results": examine(EXAMPLE, "return results().length;"), "loaded": 0}
        self.assertNotIn("owned", found.pop("title"))
        self.assertEqual(found, expected)

    def test_the_policy_refuses_everything_but_the_own_script(self):
        text = EXAMPLE.read_text(encoding="utf-8")
        added = "<script>document.title = 'owned'</script><img src='https://example.com/x' onerror=\"document.title='owned'\">"
        spoiled = FOLDER / "spoiled.html"
        spoiled.write_text(text.replace("</main>", f"{added}</main>"), encoding="utf-8")
        found = examine(spoiled, "return [report.title, report.getElementById('filters').hidden, report.images[0].complete];")
        self.assertNotIn("owned", found[0])
        self.assertFalse(found[1], "the own script did not run")
        _, log = chromium("--enable-logging=stderr", "--dump-dom", spoiled.as_uri())
        self.assertGreaterEqual(log.count("Content Security Policy"), 2, log)
        _, log = chromium("--enable-logging=stderr", "--dump-dom", EXAMPLE.as_uri())
        self.assertNotIn("Content Security Policy", log)
        self.assertNotIn("Uncaught", log)

    def test_filters_and_search_select_results(self):
        found = examine(
            EXAMPLE,
            """const counts = {};
            counts.all = shown();
            choose("severity", "critical"); counts.critical = shown();
            choose("status", "failed"); counts["critical failed"] = shown();
            counts.controls = [...report.querySelectorAll(".control")].filter((it) => !it.hidden).length;
            reset(); counts.reset = shown();
            choose("account", "444455556666"); counts.account = shown();
            choose("region", "us-east-1"); counts["account and other region"] = shown(); reset();
            choose("region", "us-east-1"); counts.region = shown(); reset();
            choose("service", "rds"); counts.service = shown(); reset();
            search("BASTION tcp/22"); counts.words = shown(); reset();
            search("restricted-ssh"); counts.control = shown(); reset();
            choose("status", "passed"); counts.passed = shown();
            counts.opened = report.querySelector("#verdicts details").open;
            counts.said = report.getElementById("shown").textContent;
            return counts;""",
        )
        expected = {
            "all": 21, "critical": 6, "critical failed": 3, "controls": 2, "reset": 21, "account": 3,
            "account and other region": 0, "region": 6, "service": 2, "words": 1, "control": 4, "passed": 5, "opened": True,
            "said": "5 of 21 results",
        }
        self.assertEqual(found, expected)

    def test_a_link_shows_what_is_hidden_or_folded(self):
        found = examine(
            EXAMPLE,
            """choose("severity", "critical");
            const target = report.getElementById("c-restricted-ssh");
            const before = target.hidden;
            view.location.hash = "#c-restricted-ssh";
            view.dispatchEvent(new view.Event("hashchange"));
            view.location.hash = "#cis-5";
            view.dispatchEvent(new view.Event("hashchange"));
            return [before, target.hidden, report.getElementById("cis-5").open];""",
        )
        self.assertEqual(found, [True, False, True])

    def test_buttons_open_plans_and_copy_what_is_shown(self):
        found = examine(
            EXAMPLE,
            """const plans = () => [...report.querySelectorAll(".fix details")];
            report.getElementById("plans").click();
            const opened = plans().every((it) => it.open);
            report.getElementById("plans").click();
            let copied = null;
            Object.defineProperty(view.navigator, "clipboard", { value: { writeText: async (text) => { copied = text; } } });
            report.querySelector(".copy button").click();
            return [opened, plans().some((it) => it.open), copied];""",
        )
        command = "aws s3api put-public-access-block --bucket annual-report-drafts \\\n  --public-access-block-configuration "
        self.assertEqual(found, [True, False, f"{command}BlockPublicAcls=true,IgnorePublicAcls=true"])

    def test_nothing_is_wider_than_the_window_and_no_word_is_broken(self):
        for path in (EXAMPLE, HOSTILE_REPORT):
            for width in (360, 800, 1400):
                found = examine(
                    path,
                    """openAll();
                    const lines = (it) => Math.round(it.clientHeight / parseFloat(view.getComputedStyle(it).lineHeight));
                    const cells = [...report.querySelectorAll(".findings td, .results td")].map((it) => it.clientWidth);
                    return [report.documentElement.scrollWidth, Math.min(...cells),
                      [...report.querySelectorAll(".badge")].filter((it) => lines(it) > 1).length];""",
                    width=width,
                )
                self.assertLessEqual(found[0], width, f"{path.name} at {width}")
                self.assertGreater(found[1], 90, f"a cell of {path.name} at {width}")
                self.assertEqual(found[2], 0, f"words broken in {path.name} at {width}")

    def test_text_has_the_contrast_of_wcag_aa(self):
        for flags in ([], [DARK]):
            found = examine(
                EXAMPLE,
                """openAll();
                const texts = [...report.body.querySelectorAll("*")].filter((it) => visible(it)
                  && [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
                const low = texts.filter((it) => contrast(it) < 4.5)
                  .map((it) => `${it.localName}.${it.className} ${it.textContent.slice(0, 30)} ${contrast(it)}`);
                return { paper: background(report.body), texts: texts.length, low };""",
                *flags,
            )
            self.assertEqual(found["paper"][0] < 128, bool(flags), "the color scheme")
            self.assertGreater(found["texts"], 500)
            self.assertEqual(found["low"], [])

    def test_everything_can_be_reached_and_named(self):
        found = examine(
            EXAMPLE,
            """openAll();
            const controls = [...report.querySelectorAll("a[href], button, input, select, summary")].filter(visible);
            const name = (it) => ["INPUT", "SELECT"].includes(it.tagName)
              ? [...it.labels].map((label) => label.firstChild.data ?? "").join("") : it.textContent;
            const nameless = controls.filter((it) => !name(it).trim());
            const ids = [...report.querySelectorAll("[id]")].map((it) => it.id);
            const broken = [...report.querySelectorAll("a[href^='#']")]
              .filter((it) => !report.getElementById(it.hash.slice(1))).map((it) => it.hash);
            const levels = [...report.querySelectorAll("h1, h2, h3, h4")].map((it) => Number(it.localName[1]));
            return { controls: controls.length > 40, nameless: nameless.length,
              unreachable: report.querySelectorAll("[tabindex]").length, broken, doubled: ids.length - new Set(ids).size,
              skipped: levels.filter((level, at) => level - (levels[at - 1] ?? 0) > 1).length,
              headless: [...report.querySelectorAll("tbody tr:not(.fix)")].filter((it) => !it.querySelector("th[scope=row]")).length,
              language: report.documentElement.lang };""",
        )
        expected = {
            "controls": True, "nameless": 0, "unreachable": 0, "broken": [], "doubled": 0, "skipped": 0, "headless": 0,
            "language": "en",
        }
        self.assertEqual(found, expected)

    def test_print_unfolds_what_a_screen_folds(self):
        unfolded = FOLDER / "unfolded.html"
        text = EXAMPLE.read_text(encoding="utf-8")
        unfolded.write_text(text.replace("<details", "<details open"), encoding="utf-8")
        folded = FOLDER / "folded.html"
        folded.write_text(text.replace("details::details-content", "nothing"), encoding="utf-8")
        pages = {}
        for path in (EXAMPLE, unfolded, folded):
            pdf = FOLDER / "printed.pdf"
            chromium(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", path.as_uri())
            pages[path.name] = len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))
        self.assertEqual(pages["example.html"], pages["unfolded.html"])
        self.assertGreater(pages["example.html"], pages["folded.html"])

    def test_without_script_everything_is_there(self):
        found = examine(
            EXAMPLE,
            """return [report.documentElement.className, report.getElementById("filters").hidden,
            [...results()].filter((it) => it.closest("details") || visible(it)).length,
            report.body.textContent.includes("sign in as root"), [...report.querySelectorAll(".copy button")].filter(visible).length];""",
            sandbox='sandbox="allow-same-origin"',
        )
        self.assertEqual(found, ["", True, 21, True, 0])

    def test_ten_thousand_results_load_and_filter_in_seconds(self):
        path = write("many.html", "--rows", "10000")
        found = examine(
            path,
            """const loaded = performance.now() - began;
            const measure = (run) => { const from = performance.now(); run(); report.body.offsetHeight; return performance.now() - from; };
            const first = measure(() => search("bastion"));
            const again = measure(() => search("bastion tcp"));
            const select = measure(() => choose("severity", "high"));
            return { results: results().length, shown: shown(), loaded, first, again, select };""",
        )
        print(found)
        self.assertEqual(found["results"], 10000)
        self.assertGreater(found["shown"], 100)
        self.assertLess(found["loaded"], 15_000)
        for name in ("first", "again", "select"):
            self.assertLess(found[name], 2_000, name)


if __name__ == "__main__":
    BROWSER = browser()
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = pathlib.Path(folder)
        EXAMPLE = write("example.html")
        HOSTILE_REPORT = write("hostile.html", "--hostile")
        program = unittest.main(exit=False, verbosity=2)
    sys.exit(not program.result.wasSuccessful())

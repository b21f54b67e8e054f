// Small conveniences; every page works without them but for copying and the phone's navigation.
(() => {
  const root = document.documentElement;
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode */ } };
  const isPhone = () => matchMedia("(max-width: 819px)").matches;

  function toggleTheme() {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    keep("muniment.theme", root.dataset.theme);
  }

  function showNavigation(isOpen) {
    root.toggleAttribute("data-nav-open", isOpen);
    document.getElementById("nav-toggle")?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) document.querySelector(".nav a")?.focus();
  }

  function toggleNavigation() {
    if (isPhone()) return showNavigation(!root.hasAttribute("data-nav-open"));
    const isRail = root.dataset.nav === "rail";
    if (isRail) delete root.dataset.nav; else root.dataset.nav = "rail";
    keep("muniment.nav", isRail ? "full" : "rail");
    document.getElementById("nav-toggle").setAttribute("aria-expanded", String(isRail));
  }

  function closeMenus(except) {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(except)) menu.open = false; });
  }

  async function copy(button) {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.querySelector(".label").textContent = "Copied";
  }

  function moveRow(step) {
    const links = [...document.querySelectorAll(".records tbody th a")];
    const at = links.indexOf(document.activeElement);
    const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)];
    next?.focus();
  }

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-do]");
    closeMenus(event.target);
    if (!target) return;
    if (target.dataset.do === "theme") toggleTheme();
    if (target.dataset.do === "nav") toggleNavigation();
    if (target.dataset.do === "close-nav") showNavigation(false);
    if (target.dataset.do === "copy") copy(target);
    if (target.dataset.do === "tick-all") {
      document.querySelectorAll("input.action-select").forEach((box) => { box.checked = target.checked; });
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const open = document.querySelector("details.menu[open]");
      closeMenus(null);
      open?.querySelector("summary").focus();
      if (root.hasAttribute("data-nav-open")) { showNavigation(false); document.getElementById("nav-toggle").focus(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (event.key === "/") { event.preventDefault(); document.getElementById("global-search")?.focus(); }
    if (event.key === "j") moveRow(1);
    if (event.key === "k") moveRow(-1);
  });

  const toggle = document.getElementById("nav-toggle");
  toggle?.setAttribute("aria-expanded", String(!isPhone() && root.dataset.nav !== "rail"));
})();

// Runs before the first paint: the theme and the width of the navigation are what they were.
(() => {
  const root = document.documentElement;
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const theme = kept("muniment.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (kept("muniment.nav") === "rail") root.dataset.nav = "rail";
})();

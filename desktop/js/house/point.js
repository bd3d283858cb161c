/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The page of a charge point, on a desktop and in the mobile application: asks the daemon, by way of Jeedom, for its outlook,
 * follows the core's news of its commands, and acts by those commands.
 */
(function(house) {
  'use strict';

  const root = document.getElementById('div_jeenergiePoint');
  if (root === null) {
    return;
  }
  const ask = house.ask, parts = house.pointParts;
  const EVERY_MS = 15000, SOON_MS = 300, NOT_AGAIN_MS = 1000;
  const state = { data: null, outlook: null, timer: null, askedAt: 0, asking: false, wanted: false };
  const find = (selector) => root.querySelector(selector);
  const language = String(window.jeeFrontEnd?.language || document.documentElement.lang || 'fr_FR').replace('_', '-');
  const isMobile = root.dataset.version === 'mobile';
  const isGone = () => !document.body.contains(root);

  function say(selector, text) {
    find(selector).textContent = text;
    find(selector).hidden = text === '';
  }

  /* ------------------------------------------------------------------ what is shown */

  function draw() {
    const outlook = state.outlook, data = state.data;
    if (!outlook || isGone()) return;
    root.querySelectorAll('.jcModes [data-mode]').forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.mode === outlook.now.mode)));
    parts.now(find, outlook, data);
    parts.goal(find, outlook, data);
    parts.sessions(find('.jcSessions'), outlook, data);
    parts.journal(find('.jcJournal tbody'), outlook, data);
    house.pointChart.draw(find('.jcChart'), outlook, data);
    root.classList.remove('jcWaiting');
  }

  async function refresh() {
    if (state.asking) {
      state.wanted = true;
      return;
    }
    state.asking = true;
    state.askedAt = Date.now();
    try {
      state.outlook = await ask('outlook', { id: state.data.id });
      root.classList.remove('jcOld');
      say('.jcTrouble', '');
      draw();
    } catch (error) {
      // What is shown is no longer what is: it says so, and is gray.
      root.classList.add('jcOld');
      say('.jcTrouble', error.message);
    }
    state.asking = false;
    if (state.wanted) {
      state.wanted = false;
      soon();
    }
  }

  /** Several news of one moment are one question, and not more than one a second. */
  function soon() {
    if (state.timer === null) {
      const wait = Math.max(SOON_MS, NOT_AGAIN_MS - (Date.now() - state.askedAt));
      state.timer = setTimeout(() => { state.timer = null; refresh(); }, wait);
    }
  }

  function hear(event) {
    if (isGone()) {
      document.body.removeEventListener('cmd::update', hear);
      return;
    }
    if ([].concat(event.detail || []).some((news) => state.data && state.data.infos.includes(String(news.cmd_id)))) soon();
  }

  /* ------------------------------------------------------------------ what the user does */

  /** Carries out a command of the equipment; the button says that it is on its way. */
  function act(command, value, button) {
    const id = state.data.commands[command];
    if (id === undefined) {
      say('.jcTrouble', "{{La commande n'existe plus sur cet équipement : créez-la à nouveau sur la page du plugin.}}");
      return;
    }
    if (button) button.setAttribute('aria-busy', 'true');
    const over = () => button && button.removeAttribute('aria-busy');
    jeedom.cmd.execute({
      id: id, value: value, notify: false,
      success: () => { over(); refresh(); },
      error: (error) => { over(); say('.jcTrouble', error.message); }
    });
  }

  async function days(button) {
    const chosen = new Set(state.outlook.goal.days.map(String));
    if (!chosen.delete(button.dataset.day)) chosen.add(button.dataset.day);
    button.setAttribute('aria-busy', 'true');
    try {
      state.outlook.goal.days = (await ask('goalDays', { id: state.data.id, days: [...chosen].sort() })).days.map(Number);
      parts.goal(find, state.outlook, state.data);
      soon();
    } catch (error) {
      say('.jcTrouble', error.message);
    }
    button.removeAttribute('aria-busy');
  }

  async function journal(button) {
    button.disabled = true;
    try {
      parts.download((await ask('journal', { id: state.data.id })).entries, state.data.name);
    } catch (error) {
      say('.jcTrouble', error.message);
    }
    button.disabled = false;
  }

  root.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button === null || !state.data) return;
    const told = button.dataset;
    if (told.mode) act('mode', { select: told.mode }, button);
    else if (told.energy) act('goalEnergy', { slider: Number(told.energy) }, button);
    else if (told.level) act('goalLevel', { slider: Number(told.level) }, button);
    else if (told.day && state.outlook) days(button);
    else if (button.matches('.jcRelease')) act('release', undefined, button);
    else if (button.matches('.jcCsv')) journal(button);
  });
  root.addEventListener('change', (event) => {
    const field = event.target;
    if (field.matches('.jcLevel') && field.value !== '' && field.checkValidity()) act('goalLevel', { slider: Number(field.value) });
    else if (field.matches('.jcEnergy') && field.value !== '' && field.checkValidity()) act('goalEnergy', { slider: Number(field.value) });
    if (field.matches('.jcTime') && field.value) act('goalTime', { title: '', message: field.value });
    if (field.matches('.jcPoints')) begin(field.value);
  });

  /* ------------------------------------------------------------------ its life */

  function build(data) {
    const make = (tag, className, text) => Object.assign(document.createElement(tag), { className: className, textContent: text });
    find('.jcName').textContent = data.name;
    const list = find('.jcPoints');
    list.replaceChildren(...data.points.map((each) => Object.assign(make('option', '', each.name), { value: each.id, selected: each.id === data.id })));
    list.hidden = data.points.length < 2;
    find('.jcName').hidden = data.points.length > 1;
    find('.jcModes').replaceChildren(...data.modes.map((each) => {
      const button = make('button', 'jcMode', each.name);
      button.type = 'button';
      button.dataset.mode = each.mode;
      button.dataset.role = 'none';
      button.disabled = !data.mayAct;
      return button;
    }));
    find('.jcDays').replaceChildren(...[1, 2, 3, 4, 5, 6, 7].map((day) => {
      const date = new Date(2026, 5, day); // the first of June 2026 is a Monday
      const button = make('button', 'jcDay', date.toLocaleDateString(language, { weekday: 'narrow' }));
      button.type = 'button';
      button.dataset.day = String(day);
      button.dataset.role = 'none';
      button.disabled = !data.mayAct;
      button.setAttribute('aria-label', date.toLocaleDateString(language, { weekday: 'long' }));
      return button;
    }));
    root.querySelectorAll('.jcGoal button, .jcGoal input, .jcRelease').forEach((each) => { each.disabled = !data.mayAct; });
    const settings = find('.jcSettings');
    settings.hidden = !data.isAdmin || isMobile;
    settings.href = 'index.php?v=d&m=jeenergie&p=jeenergie&id=' + encodeURIComponent(data.id);
  }

  async function begin(id) {
    say('.jcTrouble', '');
    let data;
    try {
      data = await ask('point', id ? { id: id } : {});
    } catch (error) {
      say('.jcTrouble', error.message);
      return;
    }
    if (data.id === null) {
      say('.jcTrouble', "{{Aucune borne n'est pilotée. Ouvrez la connexion de la maison sur la page du plugin, et cliquez sur « Synchroniser » : elle propose les bornes que la maison peut piloter.}}");
      find('.jcPage').hidden = true;
      return;
    }
    data.language = language;
    state.data = data;
    state.outlook = null;
    build(data);
    refresh();
  }

  document.body.addEventListener('cmd::update', hear);
  const timer = setInterval(() => {
    if (isGone()) clearInterval(timer);
    else if (!document.hidden && state.data && Date.now() - state.askedAt >= EVERY_MS - 500) refresh();
  }, EVERY_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden && state.data && !isGone()) soon(); });
  let width = 0;
  new ResizeObserver(() => {
    if (root.clientWidth !== width) {
      width = root.clientWidth;
      draw();
    }
  }).observe(root);

  // The mobile application says afterwards which one it wants.
  if (isMobile) window.initJeenergiePoint = (option) => begin(option);
  else begin(root.dataset.point);
})(window.jeenergieHouse);

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The page of the house, on a desktop and in the mobile application: asks for the data, follows the core's news of
 * commands, and lets its parts draw.
 */
(function(house) {
  'use strict';

  const root = document.getElementById('div_jeenergieHouse');
  if (root === null) {
    return;
  }
  const math = house.math, ask = house.ask, TOLD = math.TOLD;
  const KEPT = 'jeenergieHouseUsed';
  /** A power without news for so long is asked after, and not again before as much time. */
  const QUIET_S = 45, TICK_MS = 5000;
  const state = { data: null, period: 'day', at: new Date(), answer: null, asked: 0, drawn: null, pending: false, followed: new Map() };
  const find = (selector) => root.querySelector(selector);
  const language = String(window.jeeFrontEnd?.language || document.documentElement.lang || 'fr_FR').replace('_', '-');
  const seconds = () => Date.now() / 1000;
  let skew = 0;

  function say(selector, text) {
    find(selector).textContent = text;
    find(selector).hidden = text === '';
  }

  /* ------------------------------------------------------------------ now */

  const isLive = (data) => data.has.some((each) => /^(grid|house|solar|battery)\./.test(each));

  function draw() {
    const data = state.data;
    if (!data || !document.body.contains(root)) return;
    const hasLive = isLive(data);
    find('.jhPicture').hidden = !hasLive;
    say('.jhNoLive', hasLive ? '' : '{{Aucun compteur ne donne de puissance en direct : le bilan ci-dessous vient des relevés.}}');
    if (hasLive) state.drawn = house.flow.draw(find('.jhPicture'), data, seconds() + skew);
    beside(data);
    if (!performance.getEntriesByName('jeenergieHouseDrawn').length) performance.mark('jeenergieHouseDrawn');
  }

  /** What stands beside the picture: price, rates, margin, what the house has to say. */
  function beside(data) {
    const now = seconds() + skew;
    const value = (key) => {
      const figure = data.values[key];
      const isOld = !figure || !figure.at || now - figure.at > math.HEARD_AGAIN_S;
      return isOld || figure.value === null ? null : figure.value;
    };
    const rate = (key) => (state.drawn && state.drawn.flows ? value(key) : null);
    const kept = (key) => (data.values[key] && data.values[key].value !== null ? data.values[key].value : null);
    const period = kept('period'), until = kept('priceUntil');
    const lines = [
      ['{{Prix}}', math.number(kept('price')) === null ? null : math.text(kept('price'), '€/kWh', language), [period, until && "{{jusqu'à}} " + until].filter(Boolean).join(' ')],
      ['{{Autoconsommation}}', rate('selfConsumption') === null ? null : math.text(rate('selfConsumption'), '%', language), ''],
      ['{{Autonomie}}', rate('autonomy') === null ? null : math.text(rate('autonomy'), '%', language), ''],
      ['{{Surplus}}', math.number(rate('surplus')) === null || rate('surplus') < math.NOISE_W ? null : math.text(rate('surplus'), 'W', language), ''],
      ['{{Marge avant disjonction}}', value('headroom') === null ? null : math.text(value('headroom'), 'VA', language), ''],
      ['{{Coût du jour}}', kept('cost.today') === null ? null : math.text(kept('cost.today'), '€', language), '']
    ].filter((line) => line[1] !== null);
    find('.jhBeside').replaceChildren(...lines.map(([name, text, note]) => {
      const box = document.createElement('div');
      const add = (tag, content) => box.append(Object.assign(document.createElement(tag), { textContent: content }));
      box.className = 'jhNow';
      add('b', text);
      add('small', name + (note ? ' · ' + note : ''));
      return box;
    }));
    const remark = kept('reason');
    say('.jhRemark', remark && !find('.jhPicture').hidden && remark !== 'Tout va bien' && remark !== "{{Tout va bien}}" ? remark : '');
  }

  /** Several values of one moment arrive one after the other: they are drawn once. */
  function soon() {
    if (!state.pending) {
      state.pending = true;
      setTimeout(() => { state.pending = false; draw(); }, 40);
    }
  }

  /** News of the core, of several commands at once. */
  function hear(event) {
    if (!document.body.contains(root)) {
      document.body.removeEventListener('cmd::update', hear);
      return;
    }
    [].concat(event.detail || []).filter((news) => state.followed.has(String(news.cmd_id))).forEach((news) => {
      const [figure, key, id] = state.followed.get(String(news.cmd_id));
      figure.value = news.value === '' ? null : news.value;
      figure.at = seconds() + skew;
      const told = state.data.told;
      if (told && TOLD[key]) told[TOLD[key]] = math.number(figure.value);
      if (told && id) [told.chargers, told.loads].forEach((list) => { if (list && id in list) list[id] = math.number(figure.value); });
      soon();
    });
  }

  /** What only the daemon knows: who takes part, and what is not known now. */
  async function askRoles() {
    state.asked = seconds();
    try {
      const found = await ask('roles');
      const data = state.data;
      data.told = found.now;
      data.toldAt = seconds() + skew;
      data.used = {};
      found.roles.filter((role) => /^(charger|load)\.power$/.test(role.quantity)).forEach((role) => { data.used[role.source.equipment] = role.used; });
      localStorage.setItem(KEPT, JSON.stringify(data.used));
      say('.jhDaemon', '');
      house.roles.draw(find('.jhRoles'), found.roles, data, decide);
    } catch (error) {
      state.data.told = state.data.holds = undefined;
      say('.jhDaemon', error.message);
    }
    draw();
  }

  async function decide(source, decision, button) {
    button.disabled = true;
    try {
      await ask('runOperation', { connection: state.data.connection, operation: 'decide', options: { source: source, decision: decision } }, 'jeenergie');
      await askRoles();
    } catch (error) {
      say('.jhDaemon', error.message);
      button.disabled = false;
    }
  }

  /** Ages grow without news; a quiet house is asked whether its values still hold. */
  function tick() {
    if (!document.body.contains(root)) {
      clearInterval(timer);
      return;
    }
    if (document.hidden || !state.data) return;
    draw();
    const powers = [...Object.keys(TOLD).map((key) => state.data.values[key]), ...state.data.devices];
    if (seconds() - state.asked > QUIET_S && math.isDoubtful(powers, seconds() + skew, QUIET_S, state.data.toldAt)) askRoles();
  }

  /* ------------------------------------------------------------------ the balance */

  async function balance() {
    const asked = math.span(state.period, state.at);
    const mine = state.mine = {};
    find('.jhBalance').setAttribute('aria-busy', 'true');
    try {
      const answer = await ask('balance', asked);
      if (state.mine !== mine) return;
      state.answer = answer;
      say('.jhTrouble', '');
      house.balance.draw(find, answer, state.period, state.at, state.data);
      find('.jhBalance').classList.remove('jhWaiting');
    } catch (error) {
      if (state.mine === mine) say('.jhTrouble', error.message);
    }
    find('.jhBalance').setAttribute('aria-busy', 'false');
  }

  function marks() {
    root.querySelectorAll('[data-period]').forEach((button) => button.setAttribute('aria-pressed', String(button.dataset.period === state.period)));
    find('.jhMove').classList.toggle('jhStill', state.period === 'all');
  }

  /* ------------------------------------------------------------------ tabs */

  function show(tab) {
    const wanted = find('[data-tab="' + tab + '"]') ? tab : 'now';
    root.querySelectorAll('[data-tab]').forEach((button) => button.setAttribute('aria-selected', String(button.dataset.tab === wanted)));
    root.querySelectorAll('[data-pane]').forEach((pane) => { pane.hidden = pane.dataset.pane !== wanted; });
    if (wanted === 'meters') meters();
    if (wanted === 'now') draw();
  }

  /** The charts of the meters cost nothing until they are looked at. */
  function meters() {
    const template = find('template.jhMeters');
    if (template === null) return;
    const content = template.content.cloneNode(true);
    // Scripts of a page that the core has put in its place by itself count as run: new ones are not.
    content.querySelectorAll('script').forEach((old) => {
      const made = document.createElement('script');
      [...old.attributes].forEach((each) => made.setAttribute(each.name, each.value));
      made.textContent = old.textContent;
      made.async = false;
      old.replaceWith(made);
    });
    template.replaceWith(content);
  }

  root.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button === null) return;
    if (button.dataset.tab) {
      show(button.dataset.tab);
    } else if (button.dataset.period) {
      state.period = button.dataset.period;
    } else if (button.dataset.step) {
      state.at = math.moved(state.period, state.at, Number(button.dataset.step));
    } else if (button.matches('.jhCsv')) {
      house.balance.download(state.answer);
    }
    if (button.dataset.period || button.dataset.step) {
      marks();
      balance();
    }
  });
  root.addEventListener('keydown', (event) => {
    const tabs = [...root.querySelectorAll('[data-tab]')], at = tabs.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at >= 0 && step) {
      const next = tabs[(at + step + tabs.length) % tabs.length];
      next.focus();
      show(next.dataset.tab);
    }
  });
  let width = 0;
  new ResizeObserver(() => {
    if (root.clientWidth !== width) {
      width = root.clientWidth;
      draw();
      if (state.answer) house.balance.draw(find, state.answer, state.period, state.at, state.data);
    }
  }).observe(root);
  const timer = setInterval(tick, TICK_MS);

  async function begin() {
    root.dataset.ready = 'true';
    marks();
    show(new URLSearchParams(location.search).get('tab') || 'now');
    let data;
    try {
      data = await ask('house');
    } catch (error) {
      say('.jhTrouble', error.message);
      return;
    }
    performance.mark('jeenergieHouseData');
    if (data.home === null) {
      say('.jhNoLive', "{{La maison se crée toute seule dès qu'un compteur donne une valeur. Ajoutez d'abord une connexion sur la page du plugin.}}");
      find('.jhBalance').hidden = true;
      return;
    }
    skew = data.now - seconds();
    data.language = language;
    try {
      data.used = JSON.parse(localStorage.getItem(KEPT) || 'null') || undefined;
    } catch (error) {
      data.used = undefined;
    }
    state.data = data;
    if (!isLive(data)) {
      state.period = 'month'; // its days come later, and have no hours
      marks();
    }
    find('.jhPrices').hidden = !data.isAdmin;
    find('.jhPrices').href = 'index.php?v=d&m=jeenergie&p=jeenergie&id=' + encodeURIComponent(data.connection);
    draw();
    Object.entries(data.values).forEach(([key, figure]) => state.followed.set(figure.cmd, [figure, key, '']));
    data.devices.forEach((figure) => state.followed.set(figure.cmd, [figure, '', figure.id]));
    document.body.addEventListener('cmd::update', hear);
    askRoles();
    balance();
  }

  begin();
})(window.jeenergieHouse);

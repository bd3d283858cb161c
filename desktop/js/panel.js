/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The energy panel: figures by day come from Jeedom's history; months, years, totals and comparisons are made here.
 * The same on a desktop page and in the mobile application.
 */
(function(counts, parts) {
  'use strict';

  const root = document.getElementById('div_jeenergiePanel');
  if (root === null) {
    return;
  }
  const TEXTS = {
    consumption: '{{Consommation}}',
    production: '{{Production}}',
    solar: '{{Production solaire}}',
    import: '{{Soutirage}}',
    export: '{{Injection}}',
    cost: '{{Coût}}',
    gain: '{{Rémunération}}',
    subscription: '{{Abonnement}}'
  };
  const STORAGE_KEY = 'jeenergiePanel';
  const state = { equipment: [], chosen: [], period: 'day', at: new Date(), figure: 'energy', split: false, compare: false };
  const find = (selector) => root.querySelector(selector);
  let asked = 0;
  let drawn = null;

  function ask(action, request) {
    return new Promise((resolve, reject) => {
      domUtils.ajax({
        type: 'POST',
        url: 'plugins/jeenergie/core/ajax/jeenergiePanel.ajax.php',
        data: { action: action, request: JSON.stringify(request || {}) },
        dataType: 'json',
        global: false,
        error: (_request, _status, error) => reject(new Error(String(error))),
        success: (data) => (data.state === 'ok' ? resolve(data.result) : reject(new Error(data.result)))
      });
    });
  }

  const iso = (day) => {
    const two = (number) => String(number).padStart(2, '0');
    return [day.getFullYear(), two(day.getMonth() + 1), two(day.getDate())].join('-');
  };
  const language = String(window.jeeFrontEnd?.language || 'fr_FR').replace('_', '-');
  const rounded = (value, unit) => {
    const digits = unit === '€' ? 2 : 1;
    return value.toLocaleString(language, { minimumFractionDigits: unit === '€' ? 2 : 0, maximumFractionDigits: digits }) + ' ' + unit;
  };
  const chosen = () => state.equipment.filter((each) => state.chosen.includes(each.id));

  /* ------------------------------------------------------------------ which period, and its slots */

  function range(back) {
    const year = state.at.getFullYear() - back;
    if (state.period === 'day') {
      const month = state.at.getMonth();
      return [new Date(year, month, 1), new Date(year, month + 1, 0)];
    }
    if (state.period === 'month') {
      return [new Date(year, 0, 1), new Date(year, 11, 31)];
    }
    return [new Date(year - 9, 0, 1), new Date(year, 11, 31)];
  }

  function slots() {
    const [first, last] = range(0);
    if (state.period === 'day') {
      return Array.from({ length: last.getDate() }, (_, index) => String(index + 1));
    }
    if (state.period === 'month') {
      return Array.from({ length: 12 }, (_, index) => new Date(2000, index, 1).toLocaleDateString(language, { month: 'short' }));
    }
    return Array.from({ length: 10 }, (_, index) => String(first.getFullYear() + index));
  }

  /** Sums of days by slot; null for a slot without a day. */
  function filled(days, first, length) {
    const sums = new Array(length).fill(null);
    Object.entries(days).forEach(([day, value]) => {
      const [year, month, date] = day.split('-').map(Number);
      const slot = state.period === 'day' ? date - 1 : state.period === 'month' ? month - 1 : year - first.getFullYear();
      if (slot >= 0 && slot < length) {
        sums[slot] = (sums[slot] || 0) + value;
      }
    });
    return sums.map((value) => (value === null ? null : Math.round(value * 1000) / 1000));
  }

  function title() {
    if (state.period === 'day') {
      return state.at.toLocaleDateString(language, { month: 'long', year: 'numeric' });
    }
    const [first, last] = range(0);
    return state.period === 'month' ? String(first.getFullYear()) : first.getFullYear() + ' – ' + last.getFullYear();
  }

  /* ------------------------------------------------------------------ what is drawn */

  /** Label of a series; without the name of the figure if all series are parts of the same one. */
  function label(each, list) {
    const kind = TEXTS[each.kind] || each.kind;
    const alone = list.every((other) => other.stack === each.stack && other.role !== 'whole');
    const own = {
      whole: () => kind,
      part: () => (alone ? '' : kind + ' ') + each.part,
      within: () => TEXTS[each.part],
      rest: () => (alone ? '{{Non détaillé}}' : kind + ' {{non détaillé}}')
    };
    return (state.chosen.length > 1 ? each.equipment.name + ' – ' : '') + own[each.role]();
  }

  async function draw() {
    const turn = ++asked;
    find('.jpPeriod').textContent = title();
    const equipments = chosen();
    const cmds = counts.commands(equipments, state.figure, state.split);
    const compare = state.compare && state.period !== 'year';
    const days = ([from, to]) => (cmds.length ? ask('days', { cmds: cmds, from: iso(from), to: iso(to) }) : {});
    try {
      const [now, past] = await Promise.all([days(range(0)), compare ? days(range(1)) : {}]);
      if (turn !== asked || !document.body.contains(root)) {
        return;
      }
      const made = (found) => counts.figures(equipments, state.figure, state.split, found);
      const present = made(now);
      const before = compare ? made(past) : [];
      const unit = present[0]?.unit || (state.figure === 'money' ? '€' : 'kWh');
      const colors = parts.shades([...present, ...before.filter((old) => !present.some((each) => each.key === old.key))]);
      const series = [...lines(before, 1, compare, colors), ...lines(present, 0, compare, colors)];
      const empty = !series.some((each) => each.data.some((value) => value !== null));
      totals(present, before, unit, colors);
      since(cmds, turn);
      chart(state.period === 'year' && !empty ? withoutEmptyYears(slots(), series) : slots(), series, unit);
      message(!cmds.length ? '{{Aucune donnée de ce genre pour cet équipement.}}' : empty ? '{{Aucune valeur pour cette période.}}' : '');
      find('.jpChart').hidden = empty;
    } catch (error) {
      message(error.message);
    }
  }

  function lines(list, back, compare, colors) {
    const [first] = range(back);
    return list.map((each) => ({
      name: label(each, list) + (compare ? ' ' + first.getFullYear() : ''),
      data: filled(each.days, first, slots().length),
      stack: each.stack + (back ? ' -' : ''),
      color: back ? Highcharts.color(colors[each.key]).setOpacity(0.4).get() : colors[each.key],
      // White stands on a light ground, too.
      borderWidth: each.color.startsWith('white') ? 1 : 0
    }));
  }

  /** Years before the first that has figures are left out. */
  function withoutEmptyYears(labels, series) {
    const first = Math.min(labels.length - 3, ...series.map((each) => each.data.findIndex((value) => value !== null)).filter((at) => at >= 0));
    series.forEach((each) => { each.data = each.data.slice(first); });
    return labels.slice(first);
  }

  function totals(present, before, unit, colors) {
    const all = (days) => Object.values(days).reduce((sum, value) => sum + value, 0);
    const box = (each, list, year, note, faint) => {
      const place = document.createElement('div');
      place.className = 'jpTotal' + (faint ? ' jpFaint' : '');
      place.style.borderColor = colors[each.key];
      const add = (tag, text) => place.append(Object.assign(document.createElement(tag), { textContent: text }));
      add('b', rounded(all(each.days), unit));
      add('small', label(each, list) + year);
      if (note) {
        add('em', note);
      }
      return place;
    };
    const known = (list) => list.filter((each) => Object.keys(each.days).length > 0);
    const year = (back) => (before.length ? ' ' + range(back)[0].getFullYear() : '');
    find('.jpTotals').replaceChildren(
      ...known(present).map((each) => box(each, present, year(0), change(each, before.find((old) => old.key === each.key)), false)),
      ...known(before).map((each) => box(each, before, year(1), '', true))
    );
  }

  /** Says from when on there is history, if the period shown begins before. */
  async function since(cmds, turn) {
    const place = find('.jpSince');
    const found = cmds.length ? await ask('since', { cmds: cmds }).catch(() => ({})) : {};
    if (turn !== asked) {
      return;
    }
    const begins = iso(range(state.compare && state.period !== 'year' ? 1 : 0)[0]);
    place.hidden = !found.since || found.since <= begins;
    place.textContent = place.hidden ? '' : '{{Historique depuis le}} ' + new Date(found.since + 'T12:00:00')
      .toLocaleDateString(language, { day: 'numeric', month: 'long', year: 'numeric' });
  }

  /** How a figure differs from that of the same days a year before: a month that is not over is compared fairly. */
  function change(each, old) {
    const yearBefore = (day) => (Number(day.slice(0, 4)) - 1) + day.slice(4);
    const same = Object.keys(each.days).filter((day) => old && yearBefore(day) in old.days);
    const sum = (days, key) => same.reduce((total, day) => total + days[key(day)], 0);
    const base = old ? sum(old.days, yearBefore) : 0;
    if (base <= 0) {
      return '';
    }
    const percent = Math.round(100 * (sum(each.days, (day) => day) / base - 1));
    return (percent > 0 ? '+' : percent < 0 ? '−' : '') + Math.abs(percent) + ' % {{à dates égales}}';
  }

  function chart(labels, series, unit) {
    const style = getComputedStyle(root);
    const text = { color: style.color };
    drawn = Highcharts.chart('jeenergiePanelChart', {
      chart: { type: 'column', backgroundColor: 'transparent', style: { fontFamily: style.fontFamily } },
      title: { text: null },
      credits: { enabled: false },
      exporting: { enabled: false },
      accessibility: { enabled: false },
      legend: {
        enabled: series.length > 1, navigation: { enabled: false }, itemHoverStyle: text, itemHiddenStyle: { opacity: 0.5 },
        itemStyle: { ...text, textOverflow: 'none', whiteSpace: 'normal', width: root.clientWidth - 90 }
      },
      xAxis: { categories: labels },
      yAxis: { title: { text: unit } },
      tooltip: { shared: true, useHTML: true, formatter: function() { return parts.tip(this.points, (point) => slotName(point.index, String(point.category)), (value) => rounded(value, unit)); } },
      plotOptions: { column: { stacking: 'normal', borderColor: '#8a9099', groupPadding: 0.12, pointPadding: 0.03, animation: false } },
      series: series
    });
    const words = root.querySelector('.jpTotals').textContent.trim();
    drawn.container.querySelector('svg').setAttribute('aria-label', title() + (words ? ' : ' + words : ''));
  }

  /** The slot in words: its day, month or year. */
  function slotName(index, label) {
    if (state.period === 'day') {
      return new Date(state.at.getFullYear(), state.at.getMonth(), index + 1)
        .toLocaleDateString(language, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    }
    return state.period === 'month'
      ? new Date(state.at.getFullYear(), index, 1).toLocaleDateString(language, { month: 'long', year: 'numeric' })
      : label;
  }

  function message(text) {
    find('.jpMessage').hidden = text === '';
    find('.jpMessage').textContent = text;
  }

  async function tile() {
    const place = find('.jpTile');
    place.textContent = '';
    if (state.chosen.length !== 1 || !root.clientWidth) {
      return;
    }
    const id = state.chosen[0];
    try {
      const found = await ask('tile', { id: id, version: root.dataset.version });
      if (state.chosen[0] === id && state.chosen.length === 1) {
        place.html(found.html);
      }
    } catch (error) {
      message(error.message);
    }
  }

  /* ------------------------------------------------------------------ what the user does */

  function marks() {
    root.querySelectorAll('[data-group] [data-value]').forEach((button) => {
      const active = button.dataset.value === state[button.closest('[data-group]').dataset.group];
      button.classList.toggle('active', active);
      button.setAttribute('aria-pressed', String(active));
    });
    root.querySelectorAll('.jpList [data-id]').forEach((line) => {
      const active = state.chosen.includes(line.dataset.id);
      line.classList.toggle('active', active);
      line.querySelector('input').checked = active;
    });
    find('.jpPick summary span').textContent = chosen().map((each) => each.name).join(', ');
    find('[data-option="compare"]').disabled = state.period === 'year';
    find('[data-option="split"]').disabled = !counts.hasParts(chosen(), state.figure);
  }

  function move(step) {
    const months = { day: step, month: 12 * step, year: 120 * step }[state.period];
    state.at = new Date(state.at.getFullYear(), state.at.getMonth() + months, 1);
  }

  function choose(id, beside) {
    const others = state.chosen.filter((each) => each !== id);
    if (!beside) {
      state.chosen = [id];
    } else if (others.length === state.chosen.length) {
      state.chosen.push(id);
    } else if (others.length) {
      state.chosen = others;
    }
    localStorage.setItem(STORAGE_KEY, JSON.stringify(state.chosen));
    tile();
  }

  root.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button === null) {
      return;
    }
    if (button.dataset.move) {
      move(Number(button.dataset.move));
    } else if (button.closest('[data-id]')) {
      choose(button.closest('[data-id]').dataset.id, event.ctrlKey || event.metaKey);
      find('.jpPick').open = false;
    } else if (button.closest('[data-group]')) {
      state[button.closest('[data-group]').dataset.group] = button.dataset.value;
    }
    marks();
    draw();
  });
  root.addEventListener('change', (event) => {
    if (event.target.dataset.option) {
      state[event.target.dataset.option] = event.target.checked;
    } else if (event.target.closest('[data-id]')) {
      choose(event.target.closest('[data-id]').dataset.id, true);
      marks();
    }
    draw();
  });
  document.body.addEventListener('click', (event) => {
    if (document.body.contains(root) && !find('.jpPick').contains(event.target)) {
      find('.jpPick').open = false;
    }
  });
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      find('.jpPick').open = false;
    }
  });
  // The tile comes and goes beside it.
  new ResizeObserver(() => drawn?.container && drawn.reflow()).observe(find('.jpChart'));
  document.body.addEventListener('changeThemeEvent', () => document.body.contains(root) && draw());

  /** One line of the list: its name shows it alone, its box shows it beside the others. */
  function line(each, several) {
    const place = document.createElement('li');
    place.dataset.id = each.id;
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', title: '{{Afficher à côté, ou retirer}}' });
    box.dataset.role = 'none';
    box.setAttribute('aria-label', box.title + '{{ : }}' + each.name);
    const name = Object.assign(document.createElement('button'), { type: 'button', textContent: each.name });
    name.dataset.role = 'none';
    if (several && each.object) {
      name.append(Object.assign(document.createElement('small'), { textContent: each.object }));
    }
    place.append(box, name);
    return place;
  }

  /** [type, equipment] in the order of the first of each type. */
  function grouped(equipment) {
    const groups = new Map();
    equipment.forEach((each) => groups.set(each.type, [...(groups.get(each.type) || []), each]));
    return [...groups.entries()];
  }

  function remembered() {
    try {
      const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) || '[]');
      return state.equipment.map((each) => each.id).filter((id) => kept.includes(id));
    } catch (error) {
      return [];
    }
  }

  ask('equipment').then((equipment) => {
    state.equipment = equipment;
    if (!equipment.length) {
      root.querySelectorAll('.jpBar, .jpBody').forEach((place) => { place.hidden = true; });
      message("{{Aucun équipement n'a encore de valeurs d'énergie historisées.}}");
      return;
    }
    const several = new Set(equipment.map((each) => each.object)).size > 1;
    find('.jpList').append(...grouped(equipment).flatMap(([type, members]) => [
      Object.assign(document.createElement('li'), { className: 'jpListGroup', textContent: type }),
      ...members.map((each) => line(each, several))
    ]));
    state.chosen = remembered();
    if (!state.chosen.length) {
      state.chosen = [equipment[0].id];
    }
    tile();
    marks();
    draw();
  }).catch((error) => message(error.message));
})(window.jeenergieFigures, window.jeenergieChart);

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * Parts of the page of a charge point: what happens now, the goal, the last charges, the journal.
 */
(function(house) {
  'use strict';

  const math = house.math, make = house.make, own = house.pointMath;
  const SOURCES = { solar: '{{soleil}}', battery: '{{batterie}}', grid: '{{réseau}}' };
  const GOALS = {
    waiting: "{{L'objectif attend qu'une voiture soit branchée et qu'un mode de charge soit choisi.}}",
    reached: '{{Objectif atteint.}}'
  };
  const HEADS = {
    at: '{{Moment}}', decision: '{{Décision}}', why: '{{Pourquoi}}', mode: '{{Mode}}', grid: '{{Réseau W}}', battery: '{{Batterie W}}', apparent: '{{Soutirage VA par phase}}',
    age: '{{Âge du compteur s}}', voltage: '{{Tension V}}', drawn: '{{Puissance de la voiture W}}', told: '{{Limite de la borne A}}', plan: '{{Le plan veut charger}}'
  };

  const day = (at, language) => new Date(at.slice(0, 10) + 'T12:00').toLocaleDateString(language, { weekday: 'long', day: 'numeric', month: 'short' });

  /** A sentence whose punctuation stays on the line of its word, whose units on that of their numbers; the rule of core/src/Pages/Typography.php. */
  function bound(text) {
    return text.replace(/ (?=[:;!?»%€])|(?<=«) |(?<=\d) (?=(?:[kM]?(?:Wh?|VA)|[AVdhjlLs]|min|m³|°C)(?![\p{L}\d]))/gu, '\u00a0');
  }

  /** A day of this week as a word, another one as a date. */
  function moment(at, now, language) {
    return (at.slice(0, 10) === now.slice(0, 10) ? '' : day(at, language) + ' ') + own.clock(at);
  }

  function now(find, outlook, data) {
    const told = outlook.now, language = data.language;
    find('.jcState').textContent = data.states[told.state] || told.state;
    find('.jcWhy').textContent = bound(told.why || '');
    const figures = [];
    if (told.power !== null) figures.push(math.text(told.power, 'W', language));
    if (told.amps !== null) figures.push('{{limite}} ' + told.amps + '\u00a0A' + (told.phases === 3 ? ' × 3' : ''));
    find('.jcPower').textContent = figures.join(' · ');
    const names = { solar: '{{Soleil}}', house: '{{Maison}}', grid: '{{Réseau}}', battery: '{{Batterie}}', surplus: '{{Surplus}}' };
    // A house without a battery has 0 W of it; no surplus is not worth a word.
    const isWorth = { battery: (watts) => Math.abs(watts) >= math.NOISE_W, surplus: (watts) => watts >= math.NOISE_W };
    const known = Object.keys(names).filter((key) => told.house[key] !== null && (!isWorth[key] || isWorth[key](told.house[key])));
    const boxes = known.map((key) => {
      const box = make('div', 'jcFigure');
      const words = { grid: told.house.grid < 0 ? '{{Réseau, injection}}' : '{{Réseau, soutirage}}', battery: told.house.battery < 0 ? '{{Batterie, charge}}' : '{{Batterie, décharge}}' };
      box.append(make('b', '', math.text(Math.abs(told.house[key]), 'W', language)), make('small', '', words[key] || names[key]));
      return box;
    });
    if (told.price !== null) {
      const box = make('div', 'jcFigure');
      box.append(make('b', '', math.text(told.price, '€/kWh', language)), make('small', '', '{{Prix}}'));
      boxes.push(box);
    }
    find('.jcFigures').replaceChildren(...boxes);
    const isTaken = told.state === 'takenOver';
    find('.jcTaken').hidden = !isTaken;
    find('.jcTaken span').textContent = isTaken && told.takenOverUntil ? '{{Le pilotage reprend à %s, au débranchement, ou tout de suite :}}'.replace('%s', own.clock(told.takenOverUntil)) : '';
  }

  /** What is known of the car's battery, and what is left to charge. */
  function levelText(goal, outlook, language) {
    const left = math.text(goal.need, 'kWh', language);
    if (goal.levelState === 'unknown') return "{{La charge de la voiture n'est pas connue : compté à partir de 0 %, il reste %s.}}".replace('%s', left);
    const level = math.text(goal.level, '%', language);
    const words = goal.levelState === 'fresh' ? '{{La voiture est à %1 : il reste %2.}}' : '{{La charge de la voiture, %1, date du %3 : il reste %2.}}';
    return words.replace('%1', level).replace('%2', left).replace('%3', day(goal.levelAt, language) + ' ' + own.clock(goal.levelAt));
  }

  /** What the goal is and how it does, in one or two sentences. */
  function goalText(outlook, data) {
    const goal = outlook.goal, language = data.language;
    if (goal.state === 'none') {
      return goal.energy + goal.percent > 0 && !goal.days.length ? "{{Choisissez au moins un jour pour l'objectif.}}" : "{{Pas d'objectif : choisissez une énergie.}}";
    }
    const amount = goal.percent > 0 ? math.text(goal.percent, '%', language) : math.text(goal.energy, 'kWh', language);
    const what = '{{%1 pour %2}}'.replace('%1', amount).replace('%2', moment(goal.by, outlook.at, language));
    const done = goal.done >= 0.1 ? ', ' + '{{%s déjà chargés}}'.replace('%s', math.text(goal.done, 'kWh', language)) : '';
    const parts = [what + done + '.'];
    if (goal.percent > 0) parts.push(levelText(goal, outlook, language));
    if (goal.state === 'planned') {
      const first = outlook.plan[0], last = outlook.plan[outlook.plan.length - 1];
      if (first) parts.push('{{Charge prévue de %1 à %2}}'.replace('%1', own.clock(first.from)).replace('%2', own.clock(last.to)) + (goal.cost !== null ? ', ' + '{{environ}} ' + math.text(goal.cost, '€', language) : '') + '.');
    } else if (goal.state === 'atRisk') {
      parts.push('{{À risque : il manquera %s.}}'.replace('%s', math.text(goal.missing, 'kWh', language)));
      if (goal.advice) parts.push(goal.advice);
      if (goal.withConsent !== null) parts.push("{{Avec les heures de pointe, que le réglage de la borne permet : %s.}}".replace('%s', math.text(goal.withConsent, '€', language)));
    } else if (GOALS[goal.state]) {
      parts.push(GOALS[goal.state]);
    }
    return parts.join(' ');
  }

  function goal(find, outlook, data) {
    const told = outlook.goal, share = own.progress(told);
    find('.jcGoalText').textContent = goalText(outlook, data);
    find('.jcGoalText').classList.toggle('jcRisk', told.state === 'atRisk');
    const bar = find('.jcProgress');
    bar.hidden = share === null;
    bar.setAttribute('aria-valuenow', String(Math.round(share || 0)));
    bar.firstElementChild.style.width = (share || 0) + '%';
    bar.firstElementChild.style.background = data.colors.charger;
    find('.jcEnergies').querySelectorAll('[data-energy]').forEach((button) => button.setAttribute('aria-pressed', String(told.percent === 0 && Number(button.dataset.energy) === told.energy)));
    const active = document.activeElement;
    if (find('.jcEnergy') !== active) find('.jcEnergy').value = told.energy > 0 ? String(told.energy) : '';
    find('.jcLevels').hidden = !told.hasLevel;
    find('.jcLevels').querySelectorAll('[data-level]').forEach((button) => button.setAttribute('aria-pressed', String(Number(button.dataset.level) === told.percent)));
    if (find('.jcLevel') !== active) find('.jcLevel').value = told.percent > 0 ? String(told.percent) : '';
    if (find('.jcTime') !== active) find('.jcTime').value = told.time;
    find('.jcDays').querySelectorAll('[data-day]').forEach((button) => button.setAttribute('aria-pressed', String(told.days.includes(Number(button.dataset.day)))));
  }

  function session(each, outlook, data) {
    const language = data.language, line = make('li', 'jcSession');
    const when = each.end === null ? '{{depuis}} ' + moment(each.begin, outlook.at, language) : day(each.begin, language) + ', ' + own.clock(each.begin) + ' – ' + own.clock(each.end);
    const head = make('div', 'jcSessionHead');
    head.append(make('span', '', (each.end === null ? '{{En cours,}} ' : '') + when), make('b', '', math.text(each.energy, 'kWh', language)));
    line.append(head);
    if (each.shares === null) {
      line.append(make('small', '', each.end === null ? "{{D'où l'énergie vient se compte toutes les cinq minutes.}}" : "{{D'où l'énergie est venue n'a pas été mesuré.}}"));
      return line;
    }
    const bar = make('div', 'jcBar');
    bar.setAttribute('aria-hidden', 'true');
    const shown = Object.keys(SOURCES).filter((key) => each.shares[key] >= 0.5);
    shown.forEach((key) => {
      const part = make('span');
      part.style.flexGrow = each.shares[key];
      part.style.background = data.colors[key];
      bar.append(part);
    });
    const words = shown.map((key) => SOURCES[key] + ' ' + math.text(each.shares[key], '%', language)).join(', ');
    const cost = '{{coût}} ' + math.text(each.effective, '€', language) + (Math.abs(each.effective - each.paid) >= 0.005 ? ' ({{payé %s, le reste est la revente du soleil}})'.replace('%s', math.text(each.paid, '€', language)) : '');
    line.append(bar, make('small', '', words + ' · ' + cost));
    return line;
  }

  function sessions(place, outlook, data) {
    place.replaceChildren(...(outlook.sessions.length
      ? outlook.sessions.map((each) => session(each, outlook, data))
      : [make('li', 'jcNone', "{{Aucune charge n'a encore été mesurée.}}")]));
  }

  function journal(place, outlook, data) {
    const lines = outlook.journal.slice().reverse().map((each) => {
      const line = make('tr');
      const mode = data.modes.find((known) => known.mode === each.decision);
      const said = mode ? mode.name : data.states[each.decision] || each.decision.replace(' × 1', '').replace(/^0 A.*/, '0 A');
      line.append(make('td', 'jcWhen', moment(each.at, outlook.at, data.language)), make('th', '', said), make('td', '', bound(each.why)));
      return line;
    });
    place.replaceChildren(...lines);
    place.closest('.jcLog').querySelector('.jcNone').hidden = lines.length > 0;
  }

  /** Lets the browser keep every decision as a file. */
  function download(entries, name) {
    const link = make('a');
    link.href = URL.createObjectURL(new Blob(['\ufeff' + own.csv(entries, HEADS)], { type: 'text/csv;charset=utf-8' }));
    link.download = 'jeenergie-' + name.replace(/[^\p{L}\p{N}]+/gu, '-') + '.csv';
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  house.pointParts = { now: now, goal: goal, goalText: goalText, sessions: sessions, journal: journal, download: download };
})(window.jeenergieHouse);

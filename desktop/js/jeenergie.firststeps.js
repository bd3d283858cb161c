/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * First steps: from a plugin that was just activated to values on the dashboard, one thing at a time. The server says
 * which steps are done, from what there is; each step has one button. The whole way stands above the list, the step that
 * is next above the form. Nothing waits for it: it can be left, taken up again and ended.
 */
(function(jn) {
  'use strict';

  const TITLES = {
    dependencies: '{{Dépendances}}',
    daemon: '{{Démon}}',
    connection: '{{Premier système}}',
    equipment: '{{Ses équipements}}',
    place: '{{Sur le dashboard}}'
  };
  const MARKS = { done: 'fas fa-check-circle', now: 'fas fa-arrow-circle-right', later: 'far fa-circle' };
  const MAIN = 'btn-sm btn-success';

  let shown = '';

  /** The connection that the way is about; undefined if there is none so far. */
  function about() {
    const id = jn.data.list.firstSteps.connection;
    return jn.data.list.connections.find(function(each) { return each.id === id; });
  }

  function isOpen() {
    const form = document.querySelector('#div_jeenergie .eqLogic');
    return form?.isVisible() && jn.current?.id === about()?.id;
  }

  /* ------------------------------------------------------------------ what to do: {text, button} of a step */

  const steps = {
    dependencies: function(place) {
      return { text: jn.data.list.daemon.text, busy: jn.data.list.daemon.state === 'installing', button: jn.daemonButtons(place)[0] };
    },
    daemon: function(place) {
      return { text: jn.data.list.daemon.text, button: jn.daemonButtons(place)[0] };
    },
    connection: function() {
      const connection = about();
      if (!connection) {
        return {
          text: '{{Une connexion relie Jeedom à une passerelle, un serveur ou un compte.}}',
          button: jn.button('{{Ajouter une connexion}}', 'fas fa-plus-circle', function() { jn.actions.addConnection(); }, MAIN)
        };
      }
      const state = jn.stateOf(connection);
      const text = connection.isEnable
        ? [state.text, state.message].filter(Boolean).join('. ')
        : '{{Remplissez le formulaire, cliquez sur « Tester », puis sur « Sauvegarder ».}}';
      return { text: connection.name + ' – ' + text, button: isOpen() ? null : open(connection) };
    },
    equipment: function(place) {
      const connection = about();
      return {
        text: jn.fill('{{« %s » répond. Choisissez ce que Jeedom doit avoir.}}', connection.name),
        button: jn.button('{{Chercher les équipements}}', 'fas fa-sync-alt', function() { find(connection, place); }, MAIN)
      };
    },
    place: function() {
      const connection = about();
      return connection.equipment.some(function(each) { return each.object && each.isEnable; })
        ? { text: '{{Ses équipements sont masqués : ouvrez-en un et cochez « Visible ».}}', button: open(connection) }
        : {
          text: "{{Un équipement sans objet parent n'est pas sur le dashboard.}}",
          button: jn.button('{{Choisir son objet}}', 'fas fa-th-large', function() { choosePlace(connection); }, MAIN)
        };
    }
  };

  function open(connection) {
    return jn.button('{{Ouvrir}}', 'fas fa-cogs', function() { jn.open(connection.id); }, MAIN);
  }

  async function find(connection, place) {
    jn.notice(place, 'busy', '{{Recherche des équipements… cela peut prendre une minute.}}');
    try {
      jn.showFound(connection, await jn.ask('discover', { connection: connection.id }));
      jn.notice(place, '', '');
    } catch (error) {
      await jn.showRefusal(place, error);
    }
  }

  function choosePlace(connection) {
    const objects = jn.data.list.firstSteps.objects;
    const name = jn.el('input', { type: 'text', class: 'form-control', id: 'in_jeenergieObject', value: objects.length ? null : '{{Maison}}' });
    const select = jn.el('select', { class: 'form-control', id: 'sel_jeenergieObject' }, objects.map(function(each) {
      return jn.el('option', { value: each.id, text: each.name });
    }).concat(jn.el('option', { value: '', text: '{{Nouvel objet}}' })));
    const create = jn.el('div', { class: 'form-group' }, [jn.el('label', { for: name.id, text: '{{Nom du nouvel objet}}' }), name]);
    const show = function() { create.style.display = select.value === '' ? '' : 'none'; };
    select.addEventListener('change', show);
    show();
    jn.dialog({
      title: '{{Sur le dashboard}}', confirm: '{{Placer}}', width: 480,
      content: jn.el('div', {}, [
        jn.el('p', { text: '{{Dans quel objet du dashboard, par exemple une pièce, ces équipements sont-ils ?}}' }),
        jn.el('div', { class: 'form-group' }, [jn.el('label', { for: select.id, text: '{{Objet parent}}' }), select]),
        create
      ]),
      done: async function() {
        await jn.ask('place', { connection: connection.id, object: select.value, name: name.value });
        await jn.refresh();
      }
    });
  }

  /* ------------------------------------------------------------------ drawing */

  async function wish(wanted) {
    await jn.ask('firstSteps', { wish: wanted });
    await jn.refresh();
  }

  function item(step) {
    const children = [jn.icon(MARKS[step.state]), jn.el('strong', { text: TITLES[step.name] })];
    const place = jn.el('div', { class: 'jnNotice' });
    if (step.state === 'now') {
      const todo = steps[step.name](place);
      children.push(jn.el('span', { class: 'jnStepText' }, [todo.busy ? jn.icon('fas fa-circle-notch fa-spin') : null, jn.linked(' ' + todo.text)]), todo.button, place);
    }
    return jn.el('li', { class: 'jnStep jnStep-' + step.state, 'data-jn_step': step.name, 'aria-current': step.state === 'now' ? 'step' : null }, children);
  }

  function whole(way) {
    const done = way.steps.filter(function(each) { return each.state === 'done'; }).length;
    const far = jn.fill('{{Premiers pas : %s sur %s}}', done, way.steps.length);
    if (done === way.steps.length) {
      return [jn.icon('fas fa-check-circle'), jn.el('strong', { text: '{{Tout est en place : les valeurs arrivent.}}' }), jn.el('span', { class: 'jnStepsTools' }, [
        jn.button('{{Voir sur le dashboard}}', 'fas fa-tachometer-alt', function() { jeedomUtils.loadPage('index.php?v=d&p=dashboard&object_id=' + way.object); }, MAIN),
        jn.button('{{Terminer}}', 'fas fa-times', function() { wish('ended'); }, 'btn-sm btn-default')
      ])];
    }
    if (way.isLeft) {
      return [jn.icon('fas fa-shoe-prints'), jn.el('span', { text: far }), jn.el('span', { class: 'jnStepsTools' }, [
        jn.button('{{Continuer}}', 'fas fa-play', function() { wish('open'); }, 'btn-sm btn-default'),
        jn.button('{{Ne plus montrer}}', 'fas fa-times', function() { wish('ended'); }, 'btn-sm btn-default')
      ])];
    }
    return [jn.el('strong', { text: far }), jn.el('span', { class: 'jnStepsTools' }, [
      jn.button('{{Plus tard}}', 'fas fa-clock', function() { wish('left'); }, 'btn-sm btn-default')
    ]), jn.el('ol', { class: 'jnStepList' }, way.steps.map(item))];
  }

  /** Draws anew what has changed; what is shown meanwhile, such as a refusal below a button, stays. */
  jn.showFirstSteps = function() {
    const way = jn.data.list.firstSteps;
    const connection = about();
    const now = JSON.stringify([way, jn.data.list.daemon, connection && [connection.name, connection.isEnable, connection.state], isOpen()]);
    if (now === shown) return;
    shown = now;
    document.querySelectorAll('#div_jeenergie .jnFirstSteps').forEach(function(place) {
      const inForm = place.closest('.eqLogic') !== null;
      const isHidden = !way.steps || (inForm && (way.isLeft || !way.connection));
      place.replaceChildren(...(isHidden ? [] : whole(way)));
      place.classList.toggle('jnLeft', Boolean(way.isLeft));
    });
  };

  jn.showFirstSteps();
})(window.jeenergiePage);

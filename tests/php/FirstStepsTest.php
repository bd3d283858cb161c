<?php

use Jeenergie\Equipment\State;
use Jeenergie\Pages\PageActions;

/** The way from activation to the dashboard, as far as it follows from what there is. */
final class FirstStepsTest extends JeenergieTestCase
{
    /** @return string[] "name state" of each step */
    private function steps(): array
    {
        $way = (array) PageActions::list()['firstSteps'];
        return array_map(fn(array $each): string => $each['name'] . ' ' . $each['state'], $way['steps'] ?? []);
    }

    private function add(string $name = 'House'): jeenergie
    {
        $made = PageActions::addConnection(['name' => $name, 'backend' => $this->lab()]);
        return jeenergie::byId($made['id']);
    }

    private function enable(jeenergie $connection): void
    {
        $connection->setConfiguration('config', ['host' => 'h', 'password' => 'p4ss']);
        $connection->setIsEnable(1)->save();
    }

    public function testOneStepIsNextUntilTheDashboardHasValues(): void
    {
        $this->startDaemon('good', true);
        $this->assertSame(
            ['dependencies done', 'daemon done', 'connection now', 'equipment later', 'place later'],
            $this->steps()
        );
        $connection = $this->add();
        $this->assertContains('connection now', $this->steps(), 'added, but not filled in');
        $this->enable($connection);
        $this->assertContains('connection now', $this->steps(), 'enabled, but silent');
        State::apply($connection, null, ['state' => 'online']);
        $this->assertContains('equipment now', $this->steps());
        $this->equipment($connection);
        $this->assertContains('place now', $this->steps());
        PageActions::place(['connection' => $connection->getId(), 'object' => '', 'name' => 'Cellar']);
        $way = (array) PageActions::list()['firstSteps'];
        $this->assertNotContains('now', array_column($way['steps'], 'state'));
        $this->assertSame('100', $way['object'], 'of the new object, for the way to its dashboard');
    }

    public function testADaemonThatStopsIsTheNextStepAgain(): void
    {
        $this->assertSame(['dependencies done', 'daemon now'], array_slice($this->steps(), 0, 2));
    }

    public function testItIsLeftTakenUpAndEndedByTheUserAlone(): void
    {
        $this->add();
        PageActions::firstSteps(['wish' => 'left']);
        $this->assertTrue(((array) PageActions::list()['firstSteps'])['isLeft']);
        PageActions::firstSteps(['wish' => 'open']);
        $this->assertFalse(((array) PageActions::list()['firstSteps'])['isLeft']);
        PageActions::firstSteps(['wish' => 'ended']);
        $this->assertSame([], $this->steps());
        $this->add('Another');
        $this->assertSame([], $this->steps(), 'ended stays ended');
    }

    public function testWhoHasConnectionsFromBeforeIsNotShownTheWay(): void
    {
        $this->connection();
        $this->assertSame([], $this->steps());
        $this->add('Another');
        $this->assertSame([], $this->steps(), 'nor is a second connection a beginning');
    }

    public function testPlacingLeavesAloneWhatStandsElsewhere(): void
    {
        Memory::$config['objects'] = ['7', '8'];
        $connection = $this->connection();
        $placed = $this->equipment($connection, '1');
        $placed->setObject_id('8')->save();
        $this->equipment($connection, '2');
        PageActions::place(['connection' => $connection->getId(), 'object' => '7']);
        $places = array_map(fn(jeenergie $each): string => (string) $each->getObject_id(), $connection->equipment());
        $this->assertSame(['8', '7'], array_values($places));
    }

    /** @dataProvider refused */
    public function testWhatThePageDoesNotSendIsRefused(string $action, array $request): void
    {
        $connection = $this->connection();
        $this->expectException(Exception::class);
        PageActions::$action($request + ['connection' => $connection->getId()]);
    }

    public static function refused(): array
    {
        return [
            'no such wish' => ['firstSteps', ['wish' => 'x']],
            'no such object' => ['place', ['object' => '99']],
            'no name' => ['place', ['object' => '', 'name' => ' ']],
        ];
    }
}

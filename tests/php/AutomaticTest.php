<?php

use Jeenergie\Energy\Automatic;
use Jeenergie\Pages\PageActions;

/** The house makes itself: once, with the first meter, and not again when the user has deleted it. */
final class AutomaticTest extends JeenergieTestCase
{
    private const CONFIG = ['host' => '192.0.2.1', 'user' => 'admin', 'password' => 'wes'];

    public function testTheHouseAppearsWithTheFirstMeterAndOnlyOnce(): void
    {
        $wes = $this->system('wes', 'Garage');
        $this->assertSame([], $this->houses());
        $this->meter($wes, 'sonde', '1');
        $this->assertSame([], $this->houses());
        $this->meter($wes, 'teleinfo', '1');
        $this->meter($wes, 'teleinfo', '2');
        $houses = $this->houses();
        $this->assertCount(1, $houses);
        $this->assertSame(['Maison (énergie)', 1], [$houses[0]->getName(), (int) $houses[0]->getIsEnable()]);
        $this->assertSame('jeenergie', $houses[0]->getEqType_name()); // the core's table refuses a row without
    }

    public function testItHasTheNameOfTheUsersLanguage(): void
    {
        translate::$texts = ['Maison (énergie)' => 'House (energy)'];
        try {
            $this->meter($this->system('wes', 'Garage'), 'teleinfo', '1');
            $this->assertSame('House (energy)', $this->houses()[0]->getName());
        } finally {
            translate::$texts = [];
        }
    }

    public function testTheHouseItselfHasItsPlainNameBesideItsConnection(): void
    {
        $this->meter($this->system('wes', 'Garage'), 'teleinfo', '1');
        $house = Jeenergie\Equipment\Discovery::create($this->houses()[0], 'home', 'home', 'Maison');
        $this->assertSame('Maison', $house->getName());
    }

    public function testMetersOfBeforeAnUpdateMakeItWithinAMinuteOnceTheDaemonRuns(): void
    {
        $this->meter($this->system('wes', 'Garage'), 'teleinfo', '1');
        $this->houses()[0]->remove();
        unset(Memory::$config['jeenergie::automatic::house']); // as nobody had heard of it
        Automatic::everyMinute();
        $this->assertSame([], $this->houses());
        $this->startDaemon('echo', true);
        Automatic::everyMinute();
        Automatic::everyMinute();
        $this->assertCount(1, $this->houses());
    }

    public function testAHouseWhoseDiscoveryWasCutShortIsDiscoveredWithinAMinute(): void
    {
        $this->meter($this->system('wes', 'Garage'), 'teleinfo', '1');
        [$house] = $this->houses();
        $welcome = ['welcome', ['connection' => (string) $house->getId()]];
        Memory::$async = []; // the daemon was stopped before it had said what there is
        Automatic::everyMinute();
        $this->assertSame([], Memory::$async, 'nobody is there to ask');
        $this->startDaemon('echo', true);
        Automatic::everyMinute();
        $this->assertSame([$welcome], Memory::$async);
        Jeenergie\Storage\Notes::add($house, Jeenergie\Storage\Notes::DISCOVERED, ['1']);
        Automatic::everyMinute();
        $this->assertSame([$welcome], Memory::$async, 'what the user deletes later stays away');
    }

    public function testAHouseThatTheUserHasDeletedIsNotMadeAgain(): void
    {
        $wes = $this->system('wes', 'Garage');
        $this->meter($wes, 'teleinfo', '1');
        $this->houses()[0]->remove();
        $this->meter($wes, 'teleinfo', '2');
        $this->assertSame([], $this->houses());
    }

    public function testAHouseThatIsThereAlreadyStaysTheOnlyOne(): void
    {
        $own = $this->system('house', 'Chez nous');
        $this->meter($this->system('wes', 'Garage'), 'teleinfo', '1');
        $this->assertSame([$own->getId()], array_map(fn(jeenergie $each) => $each->getId(), $this->houses()));
    }

    public function testTheHouseStandsWhereTheFirstSystemIsPlacedAndStaysThere(): void
    {
        Memory::$config['objects'] = ['7', '8'];
        $wes = $this->system('wes', 'Garage');
        $this->meter($wes, 'teleinfo', '1');
        Jeenergie\Equipment\Discovery::create($this->houses()[0], 'home', 'home', 'Maison');
        $places = fn(): array => array_map(
            fn(jeenergie $each): string => (string) $each->getObject_id(),
            array_merge($this->houses(), $this->houses()[0]->equipment(), [jeenergie::byId($wes->getId())])
        );
        $this->assertSame(['', '', ''], array_values($places()));
        PageActions::place(['connection' => $wes->getId(), 'object' => '7']);
        $this->assertSame(['7', '7', '7'], array_values($places()));
        PageActions::place(['connection' => $wes->getId(), 'object' => '8']);
        $this->assertSame(['7', '7', '8'], array_values($places()), 'a system that moves does not take the house along');
    }

    private function system(string $backend, string $name): jeenergie
    {
        $this->useRealCatalogues();
        $connection = new jeenergie();
        $connection->setName($name)->setIsEnable(1)->setConfiguration('kind', 'connection');
        $connection->setConfiguration('backend', $backend)->setConfiguration('config', self::CONFIG);
        $connection->save();
        return jeenergie::byId($connection->getId());
    }

    private function meter(jeenergie $connection, string $type, string $key): void
    {
        Jeenergie\Equipment\Discovery::create($connection, $type, $key, $type . $key);
    }

    /** @return jeenergie[] */
    private function houses(): array
    {
        return array_values(array_filter(
            jeenergie::connections(),
            fn(jeenergie $each): bool => $each->backend() === 'house'
        ));
    }

    private function useRealCatalogues(): void
    {
        $this->forgetCatalogues();
    }
}
